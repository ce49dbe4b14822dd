// The types of leveret/testing: an MQTT broker inside this process.
import type { Binary, Message, WaitOptions } from './index.js'

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
  /** Whether TLS is spoken, with a certificate authority made for this broker alone (`caPem`). */
  tls?: boolean
  /** Whether clients have to show a certificate of that authority, such as `clientCertPem`; sets `tls` too. */
  clientCertificates?: boolean
  /** The protocol that clients must offer in the TLS handshake (RFC 7301), such as `x-amzn-mqtt-ca`; sets `tls` too. */
  alpn?: string
  /** Whether MQTT travels in WebSocket frames, with `tls` over it. */
  websocket?: boolean
  /** The only path, with its query, at which WebSocket is spoken; any unless given, and `/mqtt` in the URL. Sets `websocket` too. */
  websocketPath?: string
  /** A header that clients must bring, `Name: value`. Sets `websocket` too. */
  websocketHeader?: string
  /** Whether it listens at a Unix socket, in a folder for temporary files or at this absolute path. */
  unixSocket?: boolean | string
}

/** What a broker that speaks TLS can show: `valid` is a new one, as after a renewal; clients refuse the others. */
export type ServerCertificate =
  | 'valid'
  | 'expired'
  | 'not_yet_valid'
  | 'wrong_name'
  | 'unknown_ca'
  | 'wrong_purpose'
  | 'missing_intermediate'

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

/** The packets that brokers send. */
export type BrokerPacket =
  | 'CONNACK'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBACK'
  | 'UNSUBACK'
  | 'PINGRESP'
  | 'DISCONNECT'
  | 'AUTH'

/** A broker on a thread of its own, listening when it is made, until `close()`. It does not keep the process alive. */
export declare class Broker {
  constructor(options?: BrokerOptions)
  /** Its address, `mqtt://127.0.0.1:port` or what its options make of that: mqtts, ws, wss or mqtt+unix; the same as long as it lives. */
  get url(): string
  /** The certificate authority of this broker alone, as PEM: what its clients have to trust; null without TLS. */
  get caPem(): string | null
  /** A certificate with which a client identifies itself to this broker, as PEM; null without TLS. */
  get clientCertPem(): string | null
  /** The key that belongs to `clientCertPem`, as PEM; null without TLS. */
  get clientKeyPem(): string | null
  /** Shows this certificate to clients that connect from now on. */
  showCertificate(certificate: ServerCertificate): void
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
  /** The same for packets to clients. */
  swallowOutgoing(packet: BrokerPacket, count?: number): void
  /** How many clients are connected. */
  get connections(): number
  /** Publishes a message from the broker itself to whoever subscribes (`qos` is 0 unless given), and retains it if `retain`. */
  publish(topic: string, payload?: Binary, options?: { qos?: 0 | 1 | 2; retain?: boolean }): void
  /** Resets every connection and goes on listening. Wills are published. */
  disconnectClients(): void
  /** Forgets every session and resets the connections that used them. */
  loseSessions(): void
  /** Stops reading from clients, as a broker does that hangs, until it is called with false. */
  pauseReading(paused: boolean): void
  /** Ends the broker for good. */
  close(): void
  [Symbol.dispose](): void
}
