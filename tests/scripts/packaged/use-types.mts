// What an ES module in TypeScript writes with the installed packages; checked by tsc, never run.
import leveret, { type Client, connect, type Message, MqttError, type Outcome } from 'leveret'
import testing, { Broker } from 'leveret/testing'

const broker: Broker = new testing.Broker()
const client: Client = leveret.connect(broker.url, { keepAlive: '30s' })
const outcome: Outcome = await connect(broker.url).publish('a', 'x')
for await (const message of client.subscription('a/#', { qos: 1 })) console.log((message satisfies Message).topic, outcome.ok)
// @ts-expect-error: a message has no such part
for await (const message of client.messages()) console.log(message.body)
console.log(MqttError)
