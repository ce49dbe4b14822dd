// What a CommonJS module in TypeScript writes; checked by tsc, never run.
import leveret = require('leveret')
import testing = require('leveret/testing')
import { type Client, connect, MqttError } from 'leveret'

const broker: testing.Broker = new testing.Broker()
const client: Client = leveret.connect(broker.url, { clientId: 'door-7' })
client.on('message', (topic, payload, message) => console.log(topic, payload.length, message.qos))
connect(broker.url).publish('a', 'x').then(({ ok }) => console.log(ok, leveret.ReasonCode.SUCCESS))
client.ping().catch((error: unknown) => error instanceof MqttError && error.code === 'ERR_MQTT_CLOSED')
// @ts-expect-error: there is no default export to `require`
console.log(leveret.default)
