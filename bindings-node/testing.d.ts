// The types of leveret/testing: an MQTT broker inside this process.
import type { Message, WaitOptions } from './index.js'

/** What a test broker allows; unless set, it is a friendly broker of both versions without limits. */
export interface BrokerOptions {
  /** The only version that is spoken. */
  protocol?: '3.1.1' | '5'
  /** Messages of QoS 1 and 2 that a client may have unacknowledged: 1 to 65535. */
  receiveMaximum?: number
  /** Highest QoS that clients may publish with; subscriptions are granted no more. */
  maximumQos?: 0 | 1 | 2
  /** Whether messages can be retained. */
  retainAvailable?: boolean
  /** Largest packet accepted from a client, in bytes. */
  maximumPacketSize?: number
  /** Keep alive in seconds that replaces the one of MQTT 5 clients; 0 means none. */
  serverKeepAlive?: number
  /** Topic filter to which access is denied, for publishing and subscribing alike. */
  deny?: string
}

/** The packets that clients send. */
export type ClientPacket =
  | 'CONNECT'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBSCRIBE'
  | 'UNSUBSCRIBE'
  | 'PINGREQ'
  | 'DISCONNECT'
  | 'AUTH'

/** A broker on a thread of its own, listening when it is made, until `close()`. It does not keep the process alive. */
export declare class Broker {
  constructor(options?: BrokerOptions)
  /** Its address, `mqtt://127.0.0.1:port`; the same as long as it lives. */
  get url(): string
  /** Every PUBLISH from a client in order of arrival, recorded before it is acknowledged; re-deliveries have `dup`. */
  get received(): Message[]
  /** Waits until `count` PUBLISH packets have been received, 5 seconds unless `timeout` says otherwise; resolves with all there are. */
  waitReceived(count: number, options?: WaitOptions): Promise<Message[]>
  /** Ends all connections without a word and refuses new ones; keeps the port and, unless `forget`, the sessions. */
  stop(options?: { forget?: boolean }): void
  /** Listens again on the same port. */
  start(): void
  /** Swallows the next `count` packets of this type from clients (1 unless given), as if they had been lost. */
  swallow(packet: ClientPacket, count?: number): void
  /** Ends the broker for good. */
  close(): void
  [Symbol.dispose](): void
}
