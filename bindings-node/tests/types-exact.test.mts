// The exact type of every public value, and what must not compile for it; checked by tsc, never run.
import { EventEmitter, once } from 'node:events'

import leveret, * as all from 'leveret'
import type {
  AckProperties, AllClientsEvents, Attempt, AttemptFailedEvent, AuthAnswer, Authenticator, AuthProperties, AuthStep, BeforeConnect, Binary,
  ClientCalls, ClientEvents, ClientOptions, CloseOptions, ConnAckProperties, ConnectOptions, DisconnectProperties, Duration, ErrorCode, Filters,
  Handler, HookPackets, Hooks, LogLine, MessageProperties, Messages, NoticeEvent, OfflineEvent, OnlineEvent, OutcomeStatus, Packet, Pairs,
  PublishOptions, Signer, Stats, Status, SubscribeOptions,
  SubscriptionEvent, SubscriptionState, WaitOptions, Will, Words,
} from 'leveret'
import testing, { Broker, type BrokerOptions, type BrokerPacket, type ClientPacket } from 'leveret/testing'

/** Compiles only if the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never
declare function same<A, B>(proof: Same<A, B>): void
/** Two types that are not the same are told apart. */
// @ts-expect-error
same<1, 2>(true)

// --- functions and constants ---

same<typeof all.version, string>(true)
same<ReturnType<typeof all.shutdown>, void>(true)
same<Parameters<typeof all.setRuntimeThreads>, [count: number]>(true)
same<typeof all.connect, typeof leveret.connect>(true)
same<ReturnType<typeof all.connect>, all.Client>(true)
same<typeof testing.Broker, typeof Broker>(true)
same<typeof all.ReasonCode.QUOTA_EXCEEDED, 0x97>(true)
// @ts-expect-error: a number of threads
all.setRuntimeThreads('2')
// @ts-expect-error: nothing to give
all.shutdown(1)
// @ts-expect-error: there is no such code
all.ReasonCode.NO_SUCH
// @ts-expect-error: clients are given an address
new all.Client()

// --- the client ---

declare const client: all.Client
same<typeof client.status, Status>(true)
same<Status, 'offline' | 'online' | 'closed'>(true)
same<typeof client.writable, boolean>(true)
same<ReturnType<typeof client.reconnect>, void>(true)
same<ReturnType<typeof client.unref>, all.Client>(true)
same<ReturnType<typeof client.ref>, all.Client>(true)
same<ReturnType<typeof client.hasRef>, boolean>(true)
same<ReturnType<typeof client.waitFor>, Promise<void>>(true)
same<ReturnType<typeof client.ping>, Promise<number>>(true)
same<ReturnType<typeof client.drain>, Promise<void>>(true)
same<ReturnType<typeof client.flush>, Promise<void>>(true)
same<ReturnType<typeof client.cancel>, Promise<boolean>>(true)
same<ReturnType<typeof client.explain>, Promise<string>>(true)
same<ReturnType<typeof client.close>, Promise<void>>(true)
same<ReturnType<(typeof client)[typeof Symbol.asyncDispose]>, Promise<void>>(true)
same<ReturnType<typeof client.publish>, all.Receipt>(true)
same<ReturnType<typeof client.publishMany>, all.Receipt[]>(true)
same<ReturnType<typeof client.unsubscribe>, Promise<number[]>>(true)
same<ReturnType<typeof client.messages>, Messages>(true)
same<ReturnType<typeof client.subscription>, Messages>(true)
same<ReturnType<typeof client.stats>, Stats>(true)
const emitter: EventEmitter = client
const { signal } = new AbortController()
const limits: WaitOptions = { timeout: null, signal }
console.log(await client.ping(limits), await client.drain(limits), await client.flush(limits))
await client.close({ signal, timeout: null, endSession: null, withWill: true, sessionExpiry: '7s', reasonString: 'x', userProperties: { a: 'b' } })
await client.unsubscribe('a', { ...limits, userProperties: [['a', 'b']] })
same<ReturnType<typeof client.reauthenticate>, Promise<void>>(true)
await client.reauthenticate(limits)
const ending: CloseOptions = { timeout: 5 }
await client.close(ending)
await client.subscribe({ a: { qos: 0 } }, { signal })
// @ts-expect-error: the status is not to be set
client.status = 'online'
// @ts-expect-error: a duration has a unit
await client.ping({ timeout: '5' })
// @ts-expect-error: a signal is an AbortSignal
await client.flush({ signal: 'x' })
// @ts-expect-error: there is no such limit
await client.drain({ deadline: 5 })
// @ts-expect-error: a receipt, not a number
await client.cancel(5)
// @ts-expect-error: a receipt, not an outcome
await client.explain(await client.publish('a'))
// @ts-expect-error: letters are pairs
client.publishMany(['a', 'b'])
// @ts-expect-error: a handler is a function
await client.subscribe('a', {}, 5)
// @ts-expect-error: handlers get a message, not a topic
await client.subscribe('a', (topic: string) => topic)
// @ts-expect-error: filters are text
await client.unsubscribe([5])
// @ts-expect-error: options of their own are for subscribe
client.messages({ 'a/#': { qos: 1 } })
// @ts-expect-error: iterators without filters have no QoS
client.messages({ qos: 1 })
// @ts-expect-error: no such option
await client.close({ force: true })

// --- hooks and the authenticator ---

const hooks: Hooks = {
  connack: ({ packet, sessionPresent, properties }) => {
    same<[typeof packet, typeof sessionPresent, typeof properties], ['CONNACK', boolean, ConnAckProperties]>(true)
    same<typeof properties.maximumQos, 0 | 1 | undefined>(true)
  },
  puback: (packet) => same<typeof packet.receipt, all.Receipt | null>(true),
  pubrec: (packet) => (same<typeof packet.packetId, number | null>(true), { reasonString: 'x', userProperties: [['a', 'b']] }),
  pubrel: async ({ packet, properties }) => {
    same<[typeof packet, typeof properties], ['PUBREL', AckProperties]>(true)
    const words: Words = { userProperties: { a: 'b' } }
    return words
  },
  pubcomp: undefined,
  suback: ({ reasons }) => same<typeof reasons, number[]>(true),
  unsuback: ({ reason }) => same<typeof reason, number>(true),
  disconnect: ({ properties }) => same<typeof properties.serverReference, string | undefined>(true),
  auth: (packet) => same<typeof packet, Packet<'AUTH', AuthProperties>>(true),
}
same<keyof HookPackets, keyof Hooks>(true)
const authenticator: Authenticator = async (step) => {
  same<typeof step, AuthStep>(true)
  same<typeof step.stage, 'begin' | 'continue' | 'finish'>(true)
  same<[typeof step.method, typeof step.reauthentication, typeof step.data], [string, boolean, Buffer | null]>(true)
  const answer: AuthAnswer = { data: new Uint8Array(2), reasonString: null, userProperties: [['a', 'b']] }
  return step.stage === 'begin' ? 'text' : step.stage === 'continue' ? answer : undefined
}
const beforeConnect: BeforeConnect = async (attempt) => {
  same<typeof attempt, Attempt>(true)
  same<typeof attempt.number, number>(true)
  const said: ConnectOptions = { username: attempt.url, password: Buffer.from('x'), will: { topic: 't', qos: 1 }, websocketHeaders: { a: 'b' } }
  return said
}
const signer: Signer = async (scheme, message) => {
  same<typeof scheme, string>(true)
  same<typeof message, Buffer>(true)
  return new Uint8Array(message).buffer
}
all.connect('mqtt://localhost', { beforeConnect: () => {}, signer: (_, message) => message, tlsCertFile: 'device.pem' })
all.connect('mqtt://localhost', { beforeConnect: ({ url }) => ({ url }), signer: undefined })
// @ts-expect-error: what is no option of one attempt
all.connect('mqtt://localhost', { beforeConnect: () => ({ clientId: 'x' }) })
// @ts-expect-error: a token alone
all.connect('mqtt://localhost', { beforeConnect: () => 'token' })
// @ts-expect-error: bytes, and not text
all.connect('mqtt://localhost', { signer: () => 'signature' })
const calls: ClientCalls = { hooks, authenticator, beforeConnect, signer }
all.connect('mqtt://localhost', { ...calls, authenticationMethod: 'SCRAM' })
// @ts-expect-error: there is no such hook
all.connect('mqtt://localhost', { hooks: { pubrek: () => {} } })
// @ts-expect-error: a hook says words, not text
all.connect('mqtt://localhost', { hooks: { pubrec: () => 'x' } })
// @ts-expect-error: there are no such words
all.connect('mqtt://localhost', { hooks: { pubrec: () => ({ reason: 5 }) } })
// @ts-expect-error: data are bytes or text
all.connect('mqtt://localhost', { authenticator: () => 5 })
// @ts-expect-error: a duration has a unit
await client.reauthenticate({ timeout: '5' })

// --- events ---

type Names = 'message' | 'online' | 'offline' | 'closed' | 'connection' | 'status' | 'subscription' | 'notice' | 'ping' | 'drain' | 'log'
same<keyof ClientEvents, Names>(true)
same<keyof AllClientsEvents, 'status' | 'ping'>(true)
for (const add of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'off', 'removeListener'] as const) {
  same<ReturnType<(typeof client)[typeof add]>, all.Client>(true)
}
client.removeAllListeners('message').setMaxListeners(20)
client.on('message', async (topic, payload, message) => {
  same<[typeof topic, typeof payload, typeof message], [string, Buffer, all.Message]>(true)
})
client.once('subscription', (event) => same<typeof event, SubscriptionEvent>(true))
client.addListener('notice', (event) => same<typeof event, NoticeEvent>(true))
client.prependListener('log', (line) => same<typeof line, LogLine>(true))
client.prependOnceListener('status', (status) => same<typeof status, Status>(true))
client.off('closed', () => {}).removeListener('drain', () => {})
client.on('connection', (event) => {
  same<typeof event, OnlineEvent | OfflineEvent | AttemptFailedEvent>(true)
  if (event.kind === 'online') same<typeof event.properties, ConnAckProperties>(true)
  if (event.kind === 'offline') same<[typeof event.error, typeof event.properties], [all.MqttError, DisconnectProperties]>(true)
  if (event.kind === 'attempt_failed') same<typeof event.properties, ConnAckProperties>(true)
})
all.clients.on('status', (status, of) => same<[typeof status, typeof of], [Status, all.Client]>(true))
all.clients.on('ping', (milliseconds, of) => same<[typeof milliseconds, typeof of], [number, all.Client]>(true))
const [onlineEvent] = await once(client, 'online', { signal })
console.log(onlineEvent, emitter)
// @ts-expect-error: there is no such event
client.once('connect', () => {})
// @ts-expect-error: nor to be taken away
client.off('error', () => {})
// @ts-expect-error: a status is text
client.on('status', (status: number) => status)
// @ts-expect-error: a listener is a function
client.addListener('online', 5)

// --- receipts, outcomes, messages ---

declare const receipt: all.Receipt
same<Awaited<typeof receipt>, all.Outcome>(true)
same<typeof receipt.outcome, all.Outcome | null>(true)
same<ReturnType<typeof receipt.wait>, Promise<all.Outcome>>(true)
const settled: Promise<all.Outcome> = receipt.finally(() => {})
const caught: Promise<all.Outcome | 5> = receipt.catch(() => 5 as const)
const chained: Promise<boolean> = receipt.then(({ ok }) => ok)
console.log(receipt[Symbol.toStringTag], settled, caught, chained)
// @ts-expect-error: receipts come from publish
new all.Receipt()

declare const outcome: all.Outcome
same<typeof outcome.status, OutcomeStatus>(true)
same<[typeof outcome.ok, typeof outcome.delivered, typeof outcome.maybeDelivered], [boolean, boolean, boolean]>(true)
same<[typeof outcome.reason, typeof outcome.reasonString], [number | null, string | null]>(true)
same<(typeof outcome.userProperties)[number], readonly [name: string, value: string]>(true)
same<ReturnType<typeof outcome.toString>, OutcomeStatus>(true)
outcome.throwForStatus().throwForStatus()
// @ts-expect-error: there is no such status
if (outcome.status === 'lost') console.log(outcome)
// @ts-expect-error: an outcome does not change
outcome.ok = true

declare const message: all.Message
same<[typeof message.topic, typeof message.levels, typeof message.payload], [string, string[], Buffer]>(true)
same<[typeof message.qos, typeof message.retain, typeof message.dup], [0 | 1 | 2, boolean, boolean]>(true)
same<typeof message.properties, MessageProperties>(true)
same<ReturnType<typeof message.ack>, void>(true)
console.log(message.toJSON().topic)
const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperty, subscriptionIdentifier, topicAlias } = message.properties
console.log(payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperty, subscriptionIdentifier, topicAlias)
// @ts-expect-error: there is no such property
console.log(message.properties.content)
// @ts-expect-error: messages come from the broker
new all.Message()

declare const messages: Messages
same<ReturnType<typeof messages.next>, Promise<IteratorResult<all.Message, undefined>>>(true)
same<ReturnType<typeof messages.return>, Promise<IteratorResult<all.Message, undefined>>>(true)
same<ReturnType<(typeof messages)[typeof Symbol.asyncIterator]>, Messages>(true)
same<ReturnType<(typeof messages)[typeof Symbol.asyncDispose]>, Promise<void>>(true)
// @ts-expect-error: it is for `for await`
for (const each of messages) console.log(each)

declare const error: all.MqttError
same<typeof error.code, ErrorCode>(true)
same<[typeof error.name, typeof error.retryable], ['MqttError', boolean]>(true)
const [reason, itsOutcome, receipts]: [number | undefined, all.Outcome | undefined, all.Receipt[] | undefined] = [error.reason, error.outcome, error.receipts]
console.log(reason, itsOutcome, receipts)

// --- options and other shapes ---

const binaries: Binary[] = ['text', new Uint8Array(1), new ArrayBuffer(1), Buffer.from('x')]
const durations: Duration[] = [5, '5ms', '2.5s', '2m', '1h']
const pairs: Pairs[] = [{ a: 'b' }, [['a', 'b'], ['a', 'c']]]
const will: Will = { topic: 'gone' }
const clientOptions: ClientOptions = { will, keepAlive: 5_000 }
const publishOptions: PublishOptions = { ttl: null, responseTopic: 'answers' }
const subscribeOptions: SubscribeOptions = { qos: 2, retainAsPublished: true }
const filters: Filters[] = ['a', ['a', 'b'], { a: subscribeOptions }]
const handlers: Handler[] = [() => {}, async (given) => given.ack(), ({ topic }) => topic]
const states: SubscriptionState[] = ['up', 'downgraded', 'refused', 'down']
console.log(binaries, durations, pairs, clientOptions, publishOptions, filters, handlers, states)
// @ts-expect-error: text needs a unit that exists
const fortnight: Duration = '2w'
// @ts-expect-error: a number is no payload
const number: Binary = 5
// @ts-expect-error: a will has a topic
const overflow: ClientOptions = { overflow: 'drop_random' }

declare const stats: Stats
same<Stats['outcomes'], Record<OutcomeStatus, number>>(true)
same<Stats['messagesIn'], [number, number, number]>(true)
const numbers: Array<number | undefined> = [
  stats.queued, stats.queuedBytes, stats.inFlight, stats.inFlightBytes, stats.oldest, stats.bytesIn, stats.bytesOut, ...stats.messagesOut,
  stats.reconnects, stats.failedAttempts, stats.roundTrip, stats.inboxMessages, stats.inboxBytes, stats.inboxDropped, stats.unhandled,
  stats.handlerFailures, stats.oversize,
]
console.log(numbers, stats.lastError?.length)

// --- the test broker ---

const brokerOptions: BrokerOptions = {
  protocol: '3.1.1', receiveMaximum: 1, maximumQos: 1, retainAvailable: false, maximumPacketSize: 100, serverKeepAlive: 1, deny: 'a/#',
}
using broker = new Broker(brokerOptions)
same<typeof broker.received, all.Message[]>(true)
same<typeof broker.url, string>(true)
same<ReturnType<typeof broker.waitReceived>, Promise<all.Message[]>>(true)
const packet: ClientPacket = 'PUBREL'
broker.swallow(packet, 2)
const answer: BrokerPacket = 'PUBCOMP'
broker.swallowOutgoing(answer, 2)
same<typeof broker.connections, number>(true)
broker.publish('a', 'x', { qos: 2, retain: true })
broker.disconnectClients()
broker.loseSessions()
broker.pauseReading(true)
broker.stop({ forget: true })
broker.start()
broker[Symbol.dispose]()
broker.close()
await using closing = all.connect(broker.url)
console.log(closing, fortnight, number, overflow)
// @ts-expect-error: clients do not send it
broker.swallow('CONNACK')
// @ts-expect-error: no such QoS
new Broker({ maximumQos: 3 })
