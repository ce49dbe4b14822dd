// What a CommonJS module in TypeScript writes with the installed packages; checked by tsc, never run.
import { type Client, connect, type Message } from 'leveret'
import { Broker } from 'leveret/testing'

const broker = new Broker()
const client: Client = connect(broker.url)
client.on('message', (topic: string, payload: Buffer, message: Message) => console.log(topic, payload, message.qos))
// @ts-expect-error: there is no such event
client.on('error', () => {})
