// The options of leveret, as types. Printed from the option table by `make generate`.

/** Milliseconds, or text such as `250ms`, `5s`, `2m`, `1h`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

/** Bytes, or text that becomes UTF-8. */
export type Binary = Uint8Array | ArrayBuffer | string

/** Pairs of texts in their order, names possibly repeated; an object where none is. */
export type Pairs = ReadonlyArray<readonly [string, string]> | Readonly<Record<string, string>>

/** The message that the broker publishes when the connection ends without a DISCONNECT. */
export interface Will {
  /**
   * Topic of the will, the message that the broker publishes when the connection ends without a DISCONNECT. Without
   * it there is no will. Default: no will. Allowed: text of at most 65535 bytes of UTF-8; null for no will.
   */
  topic?: string | null
  /** Payload of the will. Default: no bytes. Allowed: bytes or text of at most 65535 bytes. */
  payload?: Binary
  /** QoS of the will. Default: 0. Allowed: 0, 1 or 2. */
  qos?: 0 | 1 | 2
  /** Whether the broker retains the will. Default: false. Allowed: true or false. */
  retain?: boolean
  /**
   * How long the broker waits before it publishes the will; a reconnect within that time stops it (MQTT 5,
   * 3.1.3.2.2). Default: 0s. Allowed: a whole number of seconds from 0s to 4294967295s. MQTT 5 only.
   */
  delay?: Duration
  /**
   * How long the will is of use once published (MQTT 5, 3.1.3.2.4). Default: no expiry. Allowed: a whole number of
   * seconds from 0s to 4294967295s; null for no expiry. MQTT 5 only.
   */
  messageExpiry?: Duration | null
  /**
   * 1 says that the payload of the will is UTF-8 text, 0 that it is bytes (MQTT 5, 3.1.3.2.3). Default: saying
   * nothing. Allowed: 0 or 1; null for saying nothing. MQTT 5 only.
   */
  payloadFormat?: 0 | 1 | null
  /**
   * Content type of the will, such as `application/json` (MQTT 5, 3.1.3.2.5). Default: no content type. Allowed:
   * text of at most 65535 bytes of UTF-8; null for no content type. MQTT 5 only.
   */
  contentType?: string | null
  /**
   * Topic on which the will asks to be answered (MQTT 5, 3.1.3.2.6). Default: no response topic. Allowed: text of at
   * most 65535 bytes of UTF-8; null for no response topic. MQTT 5 only.
   */
  responseTopic?: string | null
  /**
   * What the answer to the will is to carry, so that it is known again (MQTT 5, 3.1.3.2.7). Default: no correlation
   * data. Allowed: bytes or text of at most 65535 bytes; null for no correlation data. MQTT 5 only.
   */
  correlationData?: Binary | null
  /** User properties of the will (MQTT 5, 3.1.3.2.8). Default: no pairs. Allowed: pairs of texts. MQTT 5 only. */
  userProperties?: Pairs
}

/** How a client connects, what its post office holds, and how it treats what it receives. */
export interface ClientOptions {
  /**
   * Client identifier by which the broker knows this client and keeps its session (MQTT 5, 3.1.3.1). Empty: a random
   * one, kept for the life of the client. Default: random, then kept. Allowed: text of at most 65535 bytes of UTF-8.
   */
  clientId?: string
  /**
   * Which version of MQTT to speak. `auto` tries 5 and falls back to 3.1.1 where the broker does not know 5.
   * Default: "auto". Allowed: "auto", "5" or "3.1.1".
   */
  protocol?: 'auto' | '5' | '3.1.1'
  /**
   * Begin without the state of an earlier session, and end the session with a clean close. Reconnects within the
   * life of the client resume the session either way, where the protocol allows it. `false` needs a `clientId`. On
   * 3.1.1 it is Clean Session. Default: true. Allowed: true or false.
   */
  cleanStart?: boolean
  /**
   * How long the broker keeps the session after the connection is gone (MQTT 5, 3.1.2.11.2); 4294967295 s is for
   * ever. Default: 1h. Allowed: a whole number of seconds from 0s to 4294967295s. MQTT 5 only.
   */
  sessionExpiry?: Duration
  /**
   * The longest silence: after it a ping is sent (MQTT 5, 3.1.2.10). 0 turns pings off; the value of the broker, if
   * it gives one, wins. Default: 1m. Allowed: a whole number of seconds from 0s to 65535s.
   */
  keepAlive?: Duration
  /**
   * How long to wait for the answer to a ping before the connection counts as lost. Default: half the keep alive (at
   * most 10s). Allowed: a duration from 1ms to 1h; null for half the keep alive (at most 10s).
   */
  pingTimeout?: Duration | null
  /**
   * How long one attempt to connect may take in all, until the broker has accepted it; and how long a broker may
   * take for a step of a re-authentication. Default: 10s. Allowed: a duration from 1ms to 1h.
   */
  connectTimeout?: Duration
  /**
   * The shortest delay before connecting again. Each delay is drawn evenly from this to a cap that doubles up to
   * `backoffMax`. Default: 1s. Allowed: a duration from 1ms to 1h.
   */
  backoffMin?: Duration
  /**
   * The longest delay before connecting again; not less than `backoffMin`. Default: 30s. Allowed: a duration from
   * 1ms to 24h.
   */
  backoffMax?: Duration
  /**
   * A connected TCP or Unix socket, as its descriptor, over which the first attempt to connect speaks. The client
   * owns it once it is made, and dials the URL for every later attempt. TLS and WebSocket go over it where the URL
   * says so. Not on Windows. Default: dialing. Allowed: a whole number from 0 to 2147483647; null for dialing.
   */
  fd?: number | null
  /**
   * How long a TCP connection may be silent before the system probes whether the peer is still there, and how far
   * apart the probes are. The keep alive of MQTT notices a dead peer without it. Default: no probes. Allowed: a
   * whole number of seconds from 1s to 32767s; null for no probes.
   */
  tcpKeepAlive?: Duration | null
  /**
   * How long what was sent over TCP may stay unacknowledged by the peer's system before the connection is lost.
   * Linux and Android. Default: the system's own limits. Allowed: a duration from 1ms to 24h; null for the system's
   * own limits.
   */
  tcpUserTimeout?: Duration | null
  /**
   * IP address from which TCP connections go out. Default: the system's choice. Allowed: text of at most 65535 bytes
   * of UTF-8; null for the system's choice.
   */
  localAddress?: string | null
  /**
   * Network interface over which alone TCP connections go out, such as `eth0`. Linux and Android. Default: the
   * system's choice. Allowed: text of at most 65535 bytes of UTF-8; null for the system's choice.
   */
  networkInterface?: string | null
  /**
   * File with the certificates of the CAs by which the broker may be certified, PEM or DER. It takes the place of
   * the operating system's roots. Files are read again before each attempt to connect; new ones that are not as they
   * have to be leave the old in use, with a notice. Default: the operating system's roots. Allowed: text of at most
   * 65535 bytes of UTF-8; null for the operating system's roots.
   */
  tlsCaFile?: string | null
  /**
   * The same certificates themselves: PEM, or DER one behind the other. Default: the operating system's roots.
   * Allowed: bytes or text of at most 1 MiB; null for the operating system's roots.
   */
  tlsCa?: Binary | null
  /**
   * File with the certificate that this client shows, followed by those of the CAs between, PEM or DER. It needs its
   * key. Default: no client certificate. Allowed: text of at most 65535 bytes of UTF-8; null for no client
   * certificate.
   */
  tlsCertFile?: string | null
  /**
   * The same certificates themselves: PEM, or DER one behind the other. Default: no client certificate. Allowed:
   * bytes or text of at most 1 MiB; null for no client certificate.
   */
  tlsCert?: Binary | null
  /**
   * File with the private key of that certificate, not encrypted: PKCS#8, PKCS#1 or SEC1, PEM or DER; RSA, ECDSA
   * P-256 and P-384 or Ed25519. Default: no client certificate. Allowed: text of at most 65535 bytes of UTF-8; null
   * for no client certificate.
   */
  tlsKeyFile?: string | null
  /**
   * The same key itself. Never shown. Default: no client certificate. Allowed: bytes or text of at most 1 MiB; null
   * for no client certificate.
   */
  tlsKey?: Binary | null
  /**
   * Names of protocols for the broker to choose from in the TLS handshake, the best first (RFC 7301), such as
   * `x-amzn-mqtt-ca`. Default: none. Allowed: a list of texts.
   */
  tlsAlpn?: readonly string[] | string
  /**
   * Name that is asked for in the TLS handshake and that the certificate has to be for, in place of the host in the
   * URL. Default: the host in the URL. Allowed: text of at most 65535 bytes of UTF-8; null for the host in the URL.
   */
  tlsServerName?: string | null
  /** The lowest version of TLS that is spoken. Default: "1.2". Allowed: "1.2" or "1.3". */
  tlsMinVersion?: '1.2' | '1.3'
  /** The highest version of TLS that is spoken. Default: "1.3". Allowed: "1.2" or "1.3". */
  tlsMaxVersion?: '1.2' | '1.3'
  /**
   * Take up an earlier TLS session where the broker lets us, which saves a part of the handshake (RFC 8446, 2.2).
   * Sessions are kept in memory, for the life of the client. Default: true. Allowed: true or false.
   */
  tlsSessionResumption?: boolean
  /**
   * Connect to whoever answers, whatever its certificate says. Whoever is in between can then read and change
   * everything: for tests alone. Default: false. Allowed: true or false.
   */
  tlsDangerouslyAcceptAnyCertificate?: boolean
  /**
   * Headers that are added to the WebSocket handshake, such as `Authorization`. `Host` replaces the one made from
   * the URL. Never shown. Default: no more headers. Allowed: pairs of texts; null for no more headers.
   */
  websocketHeaders?: Pairs | null
  /**
   * Proxy through which connections go: `http://[user[:password]@]host[:port]` (CONNECT),
   * `socks5://[user[:password]@]host[:port]`, or `environment` for what `https_proxy`, `http_proxy`, `all_proxy` and
   * `no_proxy` say when the client is made. The proxy looks up the broker's name. Unix sockets and a socket given as
   * `fd` go without. Never shown. Default: no proxy. Allowed: text of at most 65535 bytes of UTF-8; null for no
   * proxy.
   */
  proxy?: string | null
  /**
   * User name to log in with. Default: no user name. Allowed: text of at most 65535 bytes of UTF-8; null for no user
   * name.
   */
  username?: string | null
  /**
   * Password to log in with. On 3.1.1 it needs a `username`. Never shown. Default: no password. Allowed: bytes or
   * text of at most 65535 bytes; null for no password.
   */
  password?: Binary | null
  /**
   * Method of enhanced authentication, such as `SCRAM-SHA-256` (MQTT 5, 4.12). Its steps are taken by the
   * authenticator of the client; with a method 3.1.1 is never fallen back to, because it could not be said there.
   * Default: no enhanced authentication. Allowed: text of at most 65535 bytes of UTF-8; null for no enhanced
   * authentication. MQTT 5 only.
   */
  authenticationMethod?: string | null
  /**
   * What CONNECT says first in that method, where no authenticator says it (MQTT 5, 3.1.2.11.10). Never shown.
   * Default: no authentication data. Allowed: bytes or text of at most 65535 bytes; null for no authentication data.
   * MQTT 5 only.
   */
  authenticationData?: Binary | null
  /**
   * User properties sent to the broker with each CONNECT (MQTT 5, 3.1.2.11.8). Default: no pairs. Allowed: pairs of
   * texts. MQTT 5 only.
   */
  userProperties?: Pairs
  /**
   * Ask the broker for the response information of CONNACK, from which topics for answers can be made (MQTT 5,
   * 3.1.2.11.6). Default: false. Allowed: true or false. MQTT 5 only.
   */
  requestResponseInformation?: boolean
  /**
   * Let the broker add reason strings and user properties to its answers (MQTT 5, 3.1.2.11.7). Default: true.
   * Allowed: true or false. MQTT 5 only.
   */
  requestProblemInformation?: boolean
  /**
   * How many references to another server are followed one after the other before the URLs are tried again (MQTT 5,
   * 4.13); 0 follows none. Default: 3. Allowed: a whole number from 0 to 100. MQTT 5 only.
   */
  maxServerReferences?: number
  /**
   * Time to live of letters that state none: one that has not been delivered by then is settled `expired`. Default:
   * 1h. Allowed: a duration from 1ms to 4294967295s; null for no time to live.
   */
  defaultTtl?: Duration | null
  /**
   * Send a TTL given with a publish to the broker as the Message Expiry Interval, less the time waited here, in
   * seconds rounded up. The default TTL is not sent. Default: true. Allowed: true or false. MQTT 5 only.
   */
  forwardTtl?: boolean
  /**
   * What happens after a reconnect to a letter that expired or was cancelled while in flight: `withhold` does not
   * send it again, `resend` follows the standard (MQTT 5, 4.4.0-1). Default: "withhold". Allowed: "withhold" or
   * "resend".
   */
  expiredInFlight?: 'withhold' | 'resend'
  /**
   * What happens to letters in flight when the broker lost the session: `republish_qos1` posts QoS 1 again and
   * settles QoS 2 that was sent as `session_lost`; `republish_all` posts both again, QoS 2 not after PUBREC;
   * `report_all` settles all. Default: "republish_qos1". Allowed: "republish_qos1", "republish_all" or "report_all".
   */
  onSessionLost?: 'republish_qos1' | 'republish_all' | 'report_all'
  /**
   * The most letters that the post office holds, waiting and in flight together. Default: 100000. Allowed: a whole
   * number from 1 to 10000000.
   */
  maxQueuedMessages?: number
  /**
   * The most bytes that the post office holds: frames and bookkeeping, waiting and in flight together. Default:
   * 16777216. Allowed: a whole number from 1024 to 1099511627776.
   */
  maxQueuedBytes?: number
  /**
   * What gives way when the post office is full while offline: the oldest waiting letter, the new one, the one of
   * lowest priority, or none, so that the new letter is refused. While online the sender waits instead. Default:
   * "drop_oldest". Allowed: "drop_oldest", "drop_newest", "drop_lowest" or "reject".
   */
  overflow?: 'drop_oldest' | 'drop_newest' | 'drop_lowest' | 'reject'
  /**
   * The most letters of QoS 1 and 2 sent and not yet acknowledged. The receive maximum of the broker bounds it too;
   * a 3.1.1 broker cannot tell its own, and some hang up on more than they take: mosquitto by default on more than
   * 20 of QoS 2. Default: 65535. Allowed: a whole number from 1 to 65535.
   */
  maxInFlight?: number
  /**
   * The most messages of QoS 1 and 2 that the broker may send before they are acknowledged (MQTT 5, 3.1.2.11.3).
   * Default: 1000. Allowed: a whole number from 1 to 65535. MQTT 5 only.
   */
  receiveMaximum?: number
  /**
   * How many topic aliases the broker may use for what it sends (MQTT 5, 3.1.2.11.5); 0 lets it use none. Default:
   * 16. Allowed: a whole number from 0 to 65535. MQTT 5 only.
   */
  topicAliasMaximum?: number
  /**
   * How many topics letters name by an alias instead of in full once they were sent, where the broker takes as many
   * (MQTT 5, 3.3.2.3.4). It saves bytes where the same long topics are published often. Default: 0. Allowed: a whole
   * number from 0 to 65535. MQTT 5 only.
   */
  outgoingTopicAliases?: number
  /**
   * The largest packet accepted from the broker, in bytes. MQTT 5 tells the broker; on 3.1.1 a larger one is
   * skipped, acknowledged, counted and reported. Default: 16777216. Allowed: a whole number from 1024 to 268435455.
   */
  maxPacketSize?: number
  /**
   * The most received messages that wait for the application. Default: 10000. Allowed: a whole number from 1 to
   * 10000000.
   */
  maxInboxMessages?: number
  /**
   * The most bytes of received messages that wait for the application. Default: 16777216. Allowed: a whole number
   * from 1024 to 1099511627776.
   */
  maxInboxBytes?: number
  /**
   * What happens when the inbox is full: `wait` stops reading until there is room, `drop_oldest` drops the oldest of
   * QoS 0. Default: "wait". Allowed: "wait" or "drop_oldest".
   */
  inboxOverflow?: 'wait' | 'drop_oldest'
  /**
   * Leave acknowledging to the application, with `message.ack()`. Otherwise a message is acknowledged after its
   * handler returned. Default: false. Allowed: true or false.
   */
  manualAck?: boolean
  /**
   * What happens on a 3.1.1 connection to a letter with MQTT 5 properties, and to a subscription with options of
   * MQTT 5: it is rejected, or sent without them. Default: "reject". Allowed: "reject" or "drop".
   */
  propertiesOn311?: 'reject' | 'drop'
  /**
   * Topic on which this client is answered when it asks, of its own among all clients of the broker. Unless given it
   * lies below what the broker names for that (`requestResponseInformation`), else below `response/`. Default: a
   * topic with a name of its own. Allowed: text of at most 65535 bytes of UTF-8; null for a topic with a name of its
   * own. MQTT 5 only.
   */
  responseTopic?: string | null
  /**
   * How long a subscribe or unsubscribe waits for the answer of the broker while online. Default: 30s. Allowed: a
   * duration from 1ms to 1h.
   */
  subscribeTimeout?: Duration
  /**
   * How long the application may take to answer what it is asked: a hook's words are left out then, and an attempt
   * to connect fails that waits for the authenticator or for the function that is asked before each attempt.
   * Default: 10s. Allowed: a duration from 1ms to 1h.
   */
  hookTimeout?: Duration
  /**
   * How long a close that states no time of its own lets waiting letters go out. Default: 5s. Allowed: a duration
   * from 0s to 1h.
   */
  closeTimeout?: Duration
  /** The will; `null` for none. */
  will?: Will | null
}

/** How one letter is sent. */
export interface PublishOptions {
  /** How surely it is delivered: 0 at most once, 1 at least once, 2 exactly once. Default: 1. Allowed: 0, 1 or 2. */
  qos?: 0 | 1 | 2
  /** Whether the broker keeps it for those who subscribe later. Default: false. Allowed: true or false. */
  retain?: boolean
  /**
   * Time to live: not delivered by then, it is settled `expired` and no longer sent. Sent to MQTT 5 brokers as
   * message expiry. Default: the client's default TTL. Allowed: a duration from 1ms to 4294967295s; null for no time
   * to live.
   */
  ttl?: Duration | null
  /**
   * Which letters go first. Within a priority: first posted, first sent. Default: "normal". Allowed: "high",
   * "normal" or "low".
   */
  priority?: 'high' | 'normal' | 'low'
  /**
   * What gives way when the post office is full while offline. Default: the client's overflow rule. Allowed:
   * "drop_oldest", "drop_newest", "drop_lowest" or "reject"; null for the client's overflow rule.
   */
  overflow?: 'drop_oldest' | 'drop_newest' | 'drop_lowest' | 'reject' | null
  /**
   * Key of which only the newest letter is wanted: a waiting letter of the same key is settled `dropped`. Default:
   * replacing nothing. Allowed: text of at most 65535 bytes of UTF-8; null for replacing nothing.
   */
  replace?: string | null
  /**
   * How long the broker keeps it for receivers that are not there (MQTT 5, 3.3.2.3.3). Where a TTL is forwarded too,
   * the shorter wins. Default: no expiry of its own. Allowed: a whole number of seconds from 0s to 4294967295s; null
   * for no expiry of its own. MQTT 5 only.
   */
  messageExpiry?: Duration | null
  /**
   * 1 says that the payload is UTF-8 text, 0 that it is bytes (MQTT 5, 3.3.2.3.2). Default: saying nothing. Allowed:
   * 0 or 1; null for saying nothing. MQTT 5 only.
   */
  payloadFormat?: 0 | 1 | null
  /**
   * Content type, such as `application/json` (MQTT 5, 3.3.2.3.9). Default: no content type. Allowed: text of at most
   * 65535 bytes of UTF-8; null for no content type. MQTT 5 only.
   */
  contentType?: string | null
  /**
   * Topic on which an answer is expected (MQTT 5, 3.3.2.3.5). Default: no response topic. Allowed: text of at most
   * 65535 bytes of UTF-8; null for no response topic. MQTT 5 only.
   */
  responseTopic?: string | null
  /**
   * What the answer is to carry, so that it is known again (MQTT 5, 3.3.2.3.6). Default: no correlation data.
   * Allowed: bytes or text of at most 65535 bytes; null for no correlation data. MQTT 5 only.
   */
  correlationData?: Binary | null
  /**
   * User properties, passed on to the receivers (MQTT 5, 3.3.2.3.7). Default: no pairs. Allowed: pairs of texts.
   * MQTT 5 only.
   */
  userProperties?: Pairs
}

/** How one topic filter is subscribed to. */
export interface SubscribeOptions {
  /** The highest QoS with which the broker is to deliver. Default: 1. Allowed: 0, 1 or 2. */
  qos?: 0 | 1 | 2
  /**
   * Do not deliver what this client itself publishes (MQTT 5, 3.8.3.1). Default: false. Allowed: true or false. MQTT
   * 5 only.
   */
  noLocal?: boolean
  /**
   * Deliver with the retain flag as it was published (MQTT 5, 3.8.3.1). Default: false. Allowed: true or false. MQTT
   * 5 only.
   */
  retainAsPublished?: boolean
  /**
   * When retained messages are delivered: 0 at each subscribe, 1 only if the subscription is new, 2 never (MQTT 5,
   * 3.8.3.1). Default: 0. Allowed: 0, 1 or 2. MQTT 5 only.
   */
  retainHandling?: 0 | 1 | 2
  /** User properties of the SUBSCRIBE (MQTT 5, 3.8.2.1.3). Default: no pairs. Allowed: pairs of texts. MQTT 5 only. */
  userProperties?: Pairs
  /**
   * How long to wait for the answer of the broker while online. Default: the client's subscribe timeout. Allowed: a
   * duration from 1ms to 1h; null for the client's subscribe timeout.
   */
  timeout?: Duration | null
}

/** How a client is closed. */
export interface CloseOptions {
  /**
   * How long waiting letters may still go out. Default: the client's close timeout. Allowed: a duration from 0s to
   * 8760h; null for the client's close timeout.
   */
  timeout?: Duration | null
  /**
   * Whether the broker is to forget the session. Default: what the client's clean start says. Allowed: true or
   * false; null for what the client's clean start says.
   */
  endSession?: boolean | null
  /**
   * How long the broker keeps the session from now on (MQTT 5, 3.14.2.2.2); only where it was to be kept at all.
   * Default: what CONNECT said. Allowed: a whole number of seconds from 0s to 4294967295s; null for what CONNECT
   * said. MQTT 5 only.
   */
  sessionExpiry?: Duration | null
  /**
   * Let the broker publish the will all the same (MQTT 5, 3.14.2.1, reason code 0x04; on 3.1.1 the connection ends
   * without a DISCONNECT). Default: false. Allowed: true or false.
   */
  withWill?: boolean
  /**
   * Why, in words for the broker's log (MQTT 5, 3.14.2.2.3). Default: no words. Allowed: text of at most 65535 bytes
   * of UTF-8; null for no words. MQTT 5 only.
   */
  reasonString?: string | null
  /** User properties of the DISCONNECT (MQTT 5, 3.14.2.2.4). Default: no pairs. Allowed: pairs of texts. MQTT 5 only. */
  userProperties?: Pairs
}

/** What one attempt to connect says. What is not given is as the options of the client say. */
export interface ConnectOptions {
  /**
   * Where to dial this time, in place of the URL whose turn it is: another path or query, such as those of a signed
   * URL. Never shown. Default: the URL of the client. Allowed: text of at most 65535 bytes of UTF-8; null for the
   * URL of the client.
   */
  url?: string | null
  /**
   * Headers of the WebSocket handshake, after those of the client. Never shown. Default: no more headers. Allowed:
   * pairs of texts; null for no more headers.
   */
  websocketHeaders?: Pairs | null
  /**
   * User name to log in with; the password of the client's options does not go with it. Default: the one of the
   * client. Allowed: text of at most 65535 bytes of UTF-8; null for the one of the client.
   */
  username?: string | null
  /**
   * Password to log in with. On 3.1.1 it needs a user name. Never shown. Default: the one of the client. Allowed:
   * bytes or text of at most 65535 bytes; null for the one of the client.
   */
  password?: Binary | null
  /** The will, in place of the client's own; `null` for the one of the client. */
  will?: Will | null
}
