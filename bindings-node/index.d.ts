// The types of the package leveret.
/// <reference types="node" />
import { EventEmitter } from 'node:events'

import type { Binary, ClientOptions, CloseOptions, ConnectOptions, Duration, Pairs, PublishOptions, SubscribeOptions } from './options.js'
import type { ErrorCode, OutcomeStatus, Status, SubscriptionState } from './tables.js'

export type { Binary, ClientOptions, CloseOptions, ConnectOptions, Duration, Pairs, PublishOptions, SubscribeOptions, Will } from './options.js'
export type { ErrorCode, OutcomeStatus, Status, SubscriptionState } from './tables.js'
export { ReasonCode } from './tables.js'

/** The version of the library, the same in every language. */
export declare const version: string

/** Ends the shared background runtime; clients that are still open are closed. */
export declare function shutdown(): void

/** Sets the number of threads of the shared runtime (1 unless set), before the first client is made. */
export declare function setRuntimeThreads(count: number): void

/** How long a call waits, and what ends the wait sooner. */
export interface WaitOptions {
  /** The longest wait; `null` and undefined for no limit. Too long a wait rejects with `ERR_MQTT_TIMED_OUT`. */
  timeout?: Duration | null | undefined
  /** Ends the wait with its reason. */
  signal?: AbortSignal | undefined
}

/** What went wrong, told apart by `code`. */
export declare class MqttError extends Error {
  readonly name: 'MqttError'
  readonly code: ErrorCode
  /** The broker's reason code, where there is one. */
  readonly reason?: number
  /** The outcome that `throwForStatus` threw for. */
  readonly outcome?: Outcome
  /** The letters that `publishMany` did post before this error. */
  readonly receipts?: Receipt[]
  /** Can the same call succeed later without anything being changed. */
  get retryable(): boolean
}

/** What became of one letter: a value, never a rejected promise. */
export declare class Outcome {
  private constructor()
  readonly status: OutcomeStatus
  /** Did it go as asked: `acknowledged` or `sent`. */
  readonly ok: boolean
  /** Does the broker have it for certain: `acknowledged` alone. */
  readonly delivered: boolean
  /** Not acknowledged, but its first byte had left: the broker may have it. */
  readonly maybeDelivered: boolean
  /** The broker's reason code, or that of the check that rejected it here. */
  readonly reason: number | null
  /** The reason in words. */
  readonly reasonString: string | null
  /** The user properties of the broker's answer, in their order. */
  readonly userProperties: ReadonlyArray<readonly [name: string, value: string]>
  /** Returns the outcome if it is `ok`, else throws an error with code `ERR_MQTT_NOT_DELIVERED`. */
  throwForStatus(): this
  toString(): OutcomeStatus
}

/** The receipt of one letter: `await` it for its outcome, as often as you like, or never. It never rejects by itself. */
export declare class Receipt implements Promise<Outcome> {
  private constructor()
  readonly [Symbol.toStringTag]: string
  /** The outcome if there is one already. */
  get outcome(): Outcome | null
  /** The outcome, waited for within limits. A wait given up changes nothing for the letter. */
  wait(options?: WaitOptions): Promise<Outcome>
  then<Value = Outcome, Failure = never>(
    resolve?: ((outcome: Outcome) => Value | PromiseLike<Value>) | null,
    reject?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure>
  catch<Failure = never>(reject?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null): Promise<Outcome | Failure>
  finally(done?: (() => void) | null): Promise<Outcome>
}

/**
 * MQTT 5 properties of a message by the names of the standard. Those of a letter are set as options, with names that say less:
 * `payloadFormat`, `messageExpiry` (a duration), `contentType`, `responseTopic`, `correlationData`, `userProperties`.
 */
export interface MessageProperties {
  /** Set as `payloadFormat`. */
  payloadFormatIndicator?: 0 | 1
  /** Seconds; set as `messageExpiry`. */
  messageExpiryInterval?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Buffer
  userProperty?: Array<[name: string, value: string]>
  subscriptionIdentifier?: number[]
  topicAlias?: number
}

/** MQTT 5 properties of PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK by name. */
export interface AckProperties {
  reasonString?: string
  userProperty?: Array<[name: string, value: string]>
}

/** MQTT 5 properties of CONNACK by name: what the broker said of itself, of this connection, or of why there is none. Times are seconds. */
export interface ConnAckProperties extends AckProperties {
  sessionExpiryInterval?: number
  assignedClientIdentifier?: string
  serverKeepAlive?: number
  authenticationMethod?: string
  authenticationData?: Buffer
  responseInformation?: string
  serverReference?: string
  receiveMaximum?: number
  topicAliasMaximum?: number
  maximumQos?: 0 | 1
  retainAvailable?: 0 | 1
  maximumPacketSize?: number
  wildcardSubscriptionAvailable?: 0 | 1
  subscriptionIdentifiersAvailable?: 0 | 1
  sharedSubscriptionAvailable?: 0 | 1
}

/** MQTT 5 properties of a DISCONNECT of the broker by name. */
export interface DisconnectProperties extends AckProperties {
  serverReference?: string
}

/** MQTT 5 properties of AUTH by name. */
export interface AuthProperties extends AckProperties {
  authenticationMethod?: string
  authenticationData?: Buffer
}

/** What can be said with an answer to the broker (MQTT 5). */
export interface Words {
  /** Why, in words for people. */
  reasonString?: string | null | undefined
  userProperties?: Pairs | undefined
}

/** A packet of the broker, as a hook is shown it. A packet is shown when it has taken effect; only PUBREL and PUBCOMP wait for the words of the hook. */
export interface Packet<Type extends string = string, Properties = object> {
  packet: Type
  /** Its packet identifier; null for CONNACK, DISCONNECT and AUTH. */
  packetId: number | null
  /** Its reason code, the first one of SUBACK and UNSUBACK; 0 where it has none. */
  reason: number
  /** All of its reason codes: one for each filter in SUBACK and UNSUBACK, one in every other packet. */
  reasons: number[]
  /** CONNACK: does an earlier session go on. */
  sessionPresent: boolean
  /** PUBACK, PUBREC and PUBCOMP: the receipt of the letter; null where it has its outcome already, and for every other packet. */
  receipt: Receipt | null
  /** MQTT 5 properties by name; empty on MQTT 3.1.1. */
  properties: Properties
}

/** The packets that hooks are shown, by the name of the hook. */
export interface HookPackets {
  connack: Packet<'CONNACK', ConnAckProperties>
  puback: Packet<'PUBACK', AckProperties>
  pubrec: Packet<'PUBREC', AckProperties>
  pubrel: Packet<'PUBREL', AckProperties>
  pubcomp: Packet<'PUBCOMP', AckProperties>
  suback: Packet<'SUBACK', AckProperties>
  unsuback: Packet<'UNSUBACK', AckProperties>
  disconnect: Packet<'DISCONNECT', DisconnectProperties>
  auth: Packet<'AUTH', AuthProperties>
}

type Said = Words | null | undefined | void

/**
 * Functions that are shown every packet of a type, as they come and behind no handler; `pubrec` and `pubrel` say what our answer (PUBREL,
 * PUBCOMP) carries. The answer waits until what they return has ended, at most `hookTimeout`; if they fail, that is logged and the answer
 * goes out plain.
 */
export type Hooks = {
  [Name in keyof HookPackets]?:
    | ((packet: HookPackets[Name]) => Name extends 'pubrec' | 'pubrel' ? Said | Promise<Said> : unknown)
    | undefined
}

/** A step of enhanced authentication (MQTT 5, 4.12). */
export interface AuthStep {
  /** `begin`: what is the broker sent first; `continue`: it sent data and wants an answer; `finish`: it has accepted. */
  stage: 'begin' | 'continue' | 'finish'
  /** Is it for `reauthenticate`, on a connection that is up. */
  reauthentication: boolean
  /** The option `authenticationMethod`. */
  method: string
  /** Authentication data of the broker; null when beginning, and where it sent none. */
  data: Buffer | null
  /** The properties of its AUTH or CONNACK by name; empty when beginning. */
  properties: AuthProperties & ConnAckProperties
}

/** What an authenticator answers: authentication data, at most 65,535 bytes, or an object with words for the AUTH too. */
export type AuthAnswer = Binary | ({ data?: Binary | null | undefined } & Words) | null | undefined | void

/**
 * Takes the steps of enhanced authentication, before each attempt to connect and for each AUTH of the broker. What it returns, or what
 * that promise resolves with, is sent; when finishing nothing is, and it may refuse still. It refuses by throwing: the connection is given
 * up with the words of the error, and another attempt follows, as it does when the answer takes longer than `hookTimeout`.
 */
export type Authenticator = (step: AuthStep) => AuthAnswer | Promise<AuthAnswer>

/** An attempt to connect that is about to be made. */
export interface Attempt {
  /** Where it goes unless something else is said: one of the client's URLs, or what the broker referred to, without user name and password. */
  url: string
  /** Which attempt of the client it is, from 1. What was refused or not answered was no attempt yet: the next one has the same number. */
  number: number
}

type SaidOfAttempt = ConnectOptions | null | undefined | void

/**
 * Is asked before each attempt to connect, for credentials that do not last, a will that tells of the moment, or a signed URL. What it
 * returns, or what that promise resolves with, holds for this attempt in place of those options of the client. Where it throws, rejects,
 * returns what is not valid, or takes longer than `hookTimeout` the attempt fails, and another follows.
 */
export type BeforeConnect = (attempt: Attempt) => SaidOfAttempt | Promise<SaidOfAttempt>

/**
 * Signs TLS handshakes in place of a private key, which can so stay in a secure element; its certificate is `tlsCert` or `tlsCertFile`. It
 * gets the name of a signature scheme as TLS has it (RFC 8446, 4.2.3), such as `ecdsa_secp256r1_sha256`, and the message, not hashed yet,
 * and returns or promises the signature, for ECDSA in DER. Where it throws or rejects, or takes longer than what is left of
 * `connectTimeout`, the attempt to connect fails, and another follows.
 */
export type Signer = (scheme: string, message: Buffer) => Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>

/** What a client calls from the first connection on. */
export interface ClientCalls {
  hooks?: Hooks | undefined
  /** Needs the option `authenticationMethod`. */
  authenticator?: Authenticator | undefined
  beforeConnect?: BeforeConnect | undefined
  /** Needs the option `tlsCert` or `tlsCertFile`, and no key. */
  signer?: Signer | undefined
}

/** A message from the broker. */
export declare class Message {
  private constructor()
  /** Topic name. */
  get topic(): string
  /** What stands between the slashes of the topic name. */
  get levels(): string[]
  /** The payload, which may be empty; a Buffer of its own. */
  get payload(): Buffer
  /** QoS of this delivery. */
  get qos(): 0 | 1 | 2
  /** Is it a retained message. */
  get retain(): boolean
  /** May the broker have sent this packet before. */
  get dup(): boolean
  /** MQTT 5 properties by name; empty on MQTT 3.1.1. */
  get properties(): MessageProperties
  /**
   * Acknowledges the message, where the client was made with `manualAck: true`; else, and when it is acknowledged already or its
   * connection is gone, it does nothing. On MQTT 5 the acknowledgement carries `reason` (0 unless given; else 0x80, 0x83,
   * 0x87, 0x90, 0x91, 0x97 or 0x99 of MQTT 5, 3.4.2.1; from 0x80 on the message counts as refused and does not come again) and the words.
   */
  ack(options?: { reason?: number | undefined } & Words): void
  /**
   * Answers the message on the response topic that it names, with its correlation data and its QoS; returns the receipt at once. The
   * response lives as long as the message says that it is waited for. `topic` is where to answer a message that names no response
   * topic, as none does on MQTT 3.1.1. Throws when the response was not accepted.
   */
  respond(payload?: Binary, options?: PublishOptions & { topic?: string | undefined }): Receipt
  /** Its parts as a plain object. */
  toJSON(): Pick<Message, 'topic' | 'payload' | 'qos' | 'retain' | 'dup' | 'properties'>
}

/** A handler: the message is acknowledged when it has returned, or what it returns has ended. If it fails, that is logged. */
export type Handler = (message: Message) => unknown

/**
 * A handler of `serve`: what it returns, or what that promise resolves with, is the payload of the response; undefined says nothing but
 * that it is done. If it fails there is no response, and that is logged.
 */
export type Service = (message: Message) => Binary | undefined | void | Promise<Binary | undefined | void>

/** The connection is there. */
export interface OnlineEvent {
  kind: 'online'
  /** Does an earlier session go on. */
  sessionPresent: boolean
  /** The version of MQTT spoken. */
  version: '3.1.1' | '5'
  /** The client id in force. */
  clientId: string
  /** Index of the URL. */
  endpoint: number
  /** What the broker said of itself (MQTT 5). */
  properties: ConnAckProperties
}

/** The connection is gone. */
export interface OfflineEvent {
  kind: 'offline'
  error: MqttError
  /** Those of the broker's DISCONNECT, if it said one (MQTT 5). */
  properties: DisconnectProperties
}

/** No connection could be had. */
export interface AttemptFailedEvent {
  kind: 'attempt_failed'
  error: MqttError
  /** Index of the URL. */
  endpoint: number
  /** Milliseconds until the next attempt. */
  retryIn: number
  /** Those of the CONNACK that refused, if there was one (MQTT 5). */
  properties: ConnAckProperties
}

/** How a subscription stands with the broker. */
export interface SubscriptionEvent {
  filter: string
  state: SubscriptionState
  /** The broker's code: the granted QoS, or why it refused. */
  reason?: number
}

/** Something odd that an operator may want to know. */
export interface NoticeEvent {
  kind: string
  text: string
}

/** A line for the log; never with a payload, a password or a key in it. */
export interface LogLine {
  level: 'info' | 'warn' | 'error'
  text: string
}

/** The events of a client by name, with what listeners get. */
export interface ClientEvents {
  /** A message without a handler of its own; acknowledged when what the listeners return has ended. */
  message: [topic: string, payload: Buffer, message: Message]
  online: [event: OnlineEvent]
  offline: [event: OfflineEvent]
  /** Everything is settled, and nothing comes any more. */
  closed: []
  /** A connection began, ended, or could not be had. */
  connection: [event: OnlineEvent | OfflineEvent | AttemptFailedEvent]
  status: [status: Status]
  subscription: [event: SubscriptionEvent]
  notice: [event: NoticeEvent]
  /** A ping was answered after so many milliseconds. */
  ping: [milliseconds: number]
  /** The post office has room again after a letter was refused. */
  drain: []
  log: [line: LogLine]
}

type Listener<Name extends keyof ClientEvents> = (...args: ClientEvents[Name]) => unknown

/** Where a client stands. Times are milliseconds, sizes bytes. */
export interface Stats {
  status: Status
  /** Letters accepted, not in flight and not settled. */
  queued: number
  queuedBytes: number
  /** Letters sent and not yet settled. */
  inFlight: number
  inFlightBytes: number
  /** Age of the oldest letter that is not settled. */
  oldest?: number
  bytesIn: number
  bytesOut: number
  /** Messages received, by QoS. */
  messagesIn: [number, number, number]
  /** Messages sent, by QoS. */
  messagesOut: [number, number, number]
  outcomes: Record<OutcomeStatus, number>
  /** Connections after the first one. */
  reconnects: number
  failedAttempts: number
  /** Why the last attempt or connection ended. */
  lastError?: string
  /** The last measured round trip of a ping. */
  roundTrip?: number
  /** Messages that wait for the application. */
  inboxMessages: number
  inboxBytes: number
  /** QoS 0 messages dropped because the inbox was full. */
  inboxDropped: number
  /** Messages that nobody took, late responses among them. */
  unhandled: number
  /** Messages whose handler failed. */
  handlerFailures: number
  /** Packets larger than allowed that were skipped. */
  oversize: number
}

/** Topic filters: one, a list, or an object with options for each. */
export type Filters = string | readonly string[] | Readonly<Record<string, SubscribeOptions>>

/**
 * An MQTT client with a post office. It begins to connect in the background, when the code that made it has run (so that handlers declared
 * there miss nothing), and never gives up. While it is open it keeps the process alive; see `unref`.
 */
export declare class Client extends EventEmitter<ClientEvents> {
  /** `url` is one address, such as `mqtt://localhost:1883`, `mqtts://host`, `ws://host/path`, `wss://host/path` or `mqtt+unix:///path`; or several that are tried in turn. */
  constructor(url: string | readonly string[], options?: ClientOptions & ClientCalls)

  get status(): Status
  /** Waits for the status; also if it came and went meanwhile. */
  waitFor(status: Status, options?: WaitOptions): Promise<void>
  /** Hangs up politely and dials at once, also while offline: for a device that changed its network. */
  reconnect(): void
  /** Asks the broker for a sign of life; resolves with the round trip in milliseconds. */
  ping(options?: WaitOptions): Promise<number>
  /** Where everything stands just now. */
  stats(): Stats
  /**
   * Authenticates once more on the connection that is up (MQTT 5, 4.12.1). Rejects with `ERR_MQTT_REFUSED` where broker or authenticator
   * do, `ERR_MQTT_NOT_SUPPORTED` without an authentication method, `ERR_MQTT_NOT_CONNECTED`, `ERR_MQTT_CONNECTION_LOST`.
   */
  reauthenticate(options?: WaitOptions): Promise<void>
  /**
   * Sends what waits, at most for `timeout`, says goodbye and settles every receipt. The session ends if `cleanStart` was true and is
   * kept otherwise, unless `endSession` says which. Messages that no handler has begun with are left to the broker. Inside a handler it
   * takes effect when the handler returns; once more does nothing. `signal` ends the wait, not the closing.
   */
  close(options?: CloseOptions & { signal?: AbortSignal | undefined }): Promise<void>
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>
  /**
   * Lets the process end while this client is open, as `unref` of a socket does. The broker then sees the connection break, and
   * publishes the will. It ends with the process or with `close`, and not when the program lets go of it: its handlers are still to be called.
   */
  unref(): this
  /** Takes `unref` back: while this client is open it keeps the process alive, as it does from the beginning. */
  ref(): this
  /** Does this client keep the process alive. */
  hasRef(): boolean

  /** Hands a letter to the post office and returns its receipt at once. Throws when it was not accepted. */
  publish(topic: string, payload?: Binary, options?: PublishOptions): Receipt
  /**
   * Publishes several letters with the same options in one crossing; their receipts in order. Where not all were accepted, the error has
   * the `receipts` of those that were: the first ones.
   */
  publishMany(letters: Iterable<readonly [topic: string, payload?: Binary]>, options?: PublishOptions): Receipt[]
  /**
   * Publishes a letter that asks for a response; resolves with the message that is it. Several requests may be open at once.
   *
   * `timeout` is 10 s unless given (`null`: as long as it takes), and the letter lives no longer unless `ttl` says so, so that nothing is
   * carried out that was given up; a `signal` takes the letter back. The client listens on one topic of its own: the option
   * `responseTopic` of the client, else one below what the broker says or below `response/`. Late responses are counted as unhandled.
   *
   * On MQTT 3.1.1 a message cannot say where its response is to go: give the topic on which the responder will answer as
   * `responseTopic`, one for each requester. What comes there answers the request that has waited longest. A client that speaks either
   * version posts a request once its first connection has told which.
   *
   * Rejects with `ERR_MQTT_TIMED_OUT` and what is known of the letter, `ERR_MQTT_NOT_DELIVERED` and the reason as soon as it is known
   * not to arrive, `ERR_MQTT_REFUSED` where the broker does not let the client listen, `ERR_MQTT_CLOSED`, `ERR_MQTT_NOT_SUPPORTED`
   * without a response topic on 3.1.1; inside a handler with `ERR_MQTT_WOULD_DEADLOCK` where that would have to end first.
   */
  request(topic: string, payload?: Binary, options?: PublishOptions & WaitOptions): Promise<Message>
  /** Is there room in the post office. */
  get writable(): boolean
  /** Waits until the post office has room. */
  drain(options?: WaitOptions): Promise<void>
  /** Waits until every letter posted before is settled. */
  flush(options?: WaitOptions): Promise<void>
  /** Takes a letter back; resolves with whether it was still there. */
  cancel(receipt: Receipt, options?: WaitOptions): Promise<boolean>
  /** Where the letter is and why, in a sentence. */
  explain(receipt: Receipt, options?: WaitOptions): Promise<string>

  /**
   * Declares topic filters and waits for the broker's answer; resolves with the granted QoS of each. Messages go to `handler`, or
   * without one to `message` listeners or `messages()`. A refusal rejects with `ERR_MQTT_REFUSED` and hurts only that filter. Given up by
   * `signal`, it takes back what it declared, unless somebody else declares the same; where the broker takes too long
   * (`ERR_MQTT_TIMED_OUT`) the filters stay declared, and are asked for again.
   */
  subscribe(filters: Filters, options: SubscribeOptions & { signal?: AbortSignal | undefined }, handler?: Handler): Promise<number[]>
  subscribe(filters: Filters, handler?: Handler): Promise<number[]>
  /**
   * Declares topic filters as `subscribe` does, with a handler that answers their messages. The response goes to the response topic of
   * the message, with its correlation data and its QoS; the message is acknowledged after that. `responseTopic` is where to answer
   * messages that name none, as none does on MQTT 3.1.1, or a function that makes it of the message. A handler that fails gives no
   * response; nor does an answer that has nowhere to go.
   */
  serve(
    filters: Filters,
    options: SubscribeOptions & {
      signal?: AbortSignal | undefined
      responseTopic?: string | ((message: Message) => string) | null | undefined
    },
    handler: Service,
  ): Promise<number[]>
  serve(filters: Filters, handler: Service): Promise<number[]>
  /**
   * Takes declared filters back, from all their handlers and iterators, and waits for the broker's answer; resolves with its reason code
   * for each: 0, or 17 where it knew of no subscription; on MQTT 3.1.1, which has no codes there, 0. A refusal rejects with
   * `ERR_MQTT_REFUSED`; the filters are taken back here all the same, and what such a broker still sends for them is for nobody.
   */
  unsubscribe(filters: string | readonly string[], options?: WaitOptions & { userProperties?: Pairs | undefined }): Promise<number[]>
  /**
   * An iterator over what has no taker of its own, from now on until the client is closed; several like it share the messages out.
   * While there are `message` listeners, they get the messages instead. A message is acknowledged when the next one is asked for or the
   * loop ends. The limits hold for each wait, and one that is exceeded ends the iteration.
   */
  messages(options?: WaitOptions): Messages
  /**
   * An iterator over the messages of topic filters, which it declares as `subscribe` does and takes back when it ends (unless
   * `cleanStart` is off: then they stay declared). It gets every message of its filters, whoever else gets it too. A refusal rejects the
   * first `next` with `ERR_MQTT_REFUSED`; `unsubscribe` ends the iteration.
   */
  subscription(filters: string | readonly string[], options?: SubscribeOptions & WaitOptions): Messages

  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
  once<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
  off<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
  addListener<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
  removeListener<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
  prependListener<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
  prependOnceListener<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): this
}

/** Messages one after another. One iterator that nobody holds any more ends by itself, some time later. */
export interface Messages extends AsyncIterableIterator<Message> {
  next(): Promise<IteratorResult<Message, undefined>>
  return(value?: undefined): Promise<IteratorResult<Message, undefined>>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

/** The events of all clients of a thread, with the client that they are of. */
export interface AllClientsEvents {
  status: [status: Status, client: Client]
  ping: [milliseconds: number, client: Client]
}

/** `status` and `ping` events of all clients of this thread; worker threads have one each. */
export declare const clients: EventEmitter<AllClientsEvents>

/** Makes a client and begins to connect. */
export declare function connect(url: string | readonly string[], options?: ClientOptions & ClientCalls): Client
