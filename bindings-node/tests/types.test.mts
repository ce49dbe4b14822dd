// What TypeScript users write compiles, and what they must not write does not; checked by tsc, never run.
import { Client, connect, type Message, MqttError, type Outcome, ReasonCode, type Receipt, type Service, version } from 'leveret'
import { Broker, type ServerCertificate } from 'leveret/testing'

const broker: Broker = new Broker({ receiveMaximum: 10, protocol: '5' })
const client: Client = connect([broker.url], {
  clientId: 'door-7',
  keepAlive: 60_000,
  sessionExpiry: '2h',
  defaultTtl: null,
  overflow: 'drop_oldest',
  propertiesOn311: 'drop',
  password: Buffer.from('secret'),
  will: { topic: 'gone', payload: new Uint8Array(1), qos: 1, delay: '5s', userProperties: [['a', 'b']] },
})

const receipt: Receipt = client.publish('a', 'x', { qos: 1, ttl: '250ms', userProperties: { a: 'b' }, priority: 'high' })
const outcome: Outcome = await receipt
const again: Outcome = await receipt.wait({ timeout: 1000, signal: AbortSignal.timeout(5) })
const all: Outcome[] = await Promise.all(client.publishMany([['a', 'x'], ['b', new ArrayBuffer(1)], ['c']], { qos: 0 }))
if (outcome.status === 'session_lost' && outcome.reason === ReasonCode.QUOTA_EXCEEDED) outcome.throwForStatus()

const granted: number[] = await client.subscribe('a/#', { qos: 2, signal: new AbortController().signal }, async (message: Message) => {
  const text: string = `${message.levels.join()} ${message.payload.toString()} ${message.properties.contentType ?? ''}`
  await client.publish('log', text)
  message.ack()
  message.ack({ reason: ReasonCode.PAYLOAD_FORMAT_INVALID, reasonString: 'no JSON', userProperties: { a: 'b' } })
})
await client.subscribe(['a', 'b'], (message) => message.topic)
await client.subscribe({ 'a/#': { qos: 1 }, b: { noLocal: true } })
await client.unsubscribe(['a', 'b'], { timeout: '1s' })

const response: Message = await client.request('ask', 'x', { qos: 1, timeout: '2s', responseTopic: 'answers', signal: AbortSignal.timeout(5) })
const service: Service = (message) => (message.retain ? undefined : message.payload)
await client.serve('ask', service)
await client.serve(['ask', 'more'], { qos: 2, responseTopic: (message) => `${message.topic}/response` }, async () => 'done')
const posted: Receipt = response.respond('thanks', { topic: 'answers', contentType: 'text/plain' })

client.on('message', (topic: string, payload: Buffer, message: Message) => [topic, payload, message])
client.on('online', ({ sessionPresent, version: spoken }) => [sessionPresent, spoken === '5'])
client.once('offline', ({ error }) => error.code)
client.on('connection', (event) => (event.kind === 'attempt_failed' ? event.retryIn.toFixed() : event.kind))
client.on('log', ({ level, text }) => console.log(level === 'error', text))
client.on('drain', () => {})
for await (const message of client.messages({ timeout: 5000 })) console.log(message.qos)

const milliseconds: number = await client.ping()
const queued: number = client.stats().queued + client.stats().outcomes.acknowledged + client.stats().messagesIn[2]
await client.waitFor('online', { timeout: 5000 })
await client.drain({ signal: AbortSignal.timeout(1) })
await client.flush()
const cancelled: boolean = await client.cancel(receipt)
const told: string = await client.explain(receipt)
await client.close({ timeout: 0, endSession: true })
const received: Message[] = await broker.waitReceived(1, { timeout: 5 })
const error: unknown = null
if (error instanceof MqttError && error.code === 'ERR_MQTT_REFUSED' && error.retryable) console.log(error.reason, error.receipts)
console.log(posted, version, again, all, granted, milliseconds, queued, cancelled, told, received)

// @ts-expect-error: there is no such option
connect('mqtt://localhost', { keepAlife: 60_000 })
// @ts-expect-error: a duration has a unit
connect('mqtt://localhost', { keepAlive: '60' })
// @ts-expect-error: there is no QoS 3
client.publish('a', 'x', { qos: 3 })
// @ts-expect-error: a response is text or bytes
await client.serve('ask', () => ({ x: 1 }))
// @ts-expect-error: a payload is text or bytes
client.publish('a', { x: 1 })
// @ts-expect-error: there is no such status
await client.waitFor('connected')
// @ts-expect-error: there is no such event
client.on('error', () => {})
// @ts-expect-error: there is no such code
if (error instanceof MqttError && error.code === 'ERR_MQTT_NO_SUCH') console.log(error)
// @ts-expect-error: a broker stops by itself
broker.stop(true)

const secure: Broker = new Broker({ tls: true, clientCertificates: true, alpn: 'mqtt' })
const renewed: ServerCertificate = 'valid'
secure.showCertificate(renewed)
const trusted: Client = connect(secure.url, { tlsCa: secure.caPem, tlsCert: secure.clientCertPem, tlsKey: secure.clientKeyPem })
new Broker({ websocket: true, websocketPath: '/mqtt', websocketHeader: 'authorization: token' }).close()
new Broker({ unixSocket: true }).close()
await trusted.close()
secure.close()
