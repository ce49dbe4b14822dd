// The names and numbers of the tables, as types. Printed from the tables of the core by `make generate`.

/** What became of a letter. Every letter gets exactly one. */
export type OutcomeStatus =
  /** The broker has it: PUBACK at QoS 1, PUBCOMP at QoS 2, with the reason code. */
  | 'acknowledged'
  /** QoS 0: its last byte was taken by the operating system. */
  | 'sent'
  /** Its time to live passed. */
  | 'expired'
  /** Never sent: it made room for another, or a newer one replaced it. */
  | 'dropped'
  /** The broker refused it, or it could not be sent to this broker. */
  | 'rejected'
  /** The caller took it back. */
  | 'cancelled'
  /** In flight when the broker lost the session, and not posted again. */
  | 'session_lost'
  /** The client closed first. */
  | 'closed'

/** Is the client connected. Attempts to connect are events, not statuses. */
export type Status =
  /** No connection, whether or not one is just being tried. */
  | 'offline'
  /** The broker has accepted the connection. */
  | 'online'
  /** Closed for good; every letter has its outcome. */
  | 'closed'

/** How a subscription stands with the broker. */
export type SubscriptionState =
  /** No connection, or the broker has not answered yet. */
  | 'down'
  /** Granted as asked. */
  | 'up'
  /** Granted with a lower QoS than asked for. */
  | 'downgraded'
  /** Refused by the broker, with its reason code. */
  | 'refused'

/** The `code` of an error. */
export type ErrorCode =
  /** An argument or the value of an option is outside what is allowed. */
  | 'ERR_MQTT_INVALID_ARGUMENT'
  /** There is no option of this name. */
  | 'ERR_MQTT_UNKNOWN_OPTION'
  /** The post office is full, and no letter may be dropped to make room. */
  | 'ERR_MQTT_QUEUE_FULL'
  /** The call would wait for the very thread it runs on. */
  | 'ERR_MQTT_WOULD_DEADLOCK'
  /** It did not happen within the time given. */
  | 'ERR_MQTT_TIMED_OUT'
  /** The client is closed. */
  | 'ERR_MQTT_CLOSED'
  /** There is no connection to the broker just now. */
  | 'ERR_MQTT_NOT_CONNECTED'
  /** The connection was lost before the answer came. */
  | 'ERR_MQTT_CONNECTION_LOST'
  /** The broker refused, with a reason code. */
  | 'ERR_MQTT_REFUSED'
  /** This broker, or this version of MQTT, cannot do what was asked. */
  | 'ERR_MQTT_NOT_SUPPORTED'
  /** The broker broke the rules of the protocol. */
  | 'ERR_MQTT_PROTOCOL_VIOLATION'
  /** The client was made before the process forked, and this is the child. */
  | 'ERR_MQTT_FORKED'
  /** The receipt was settled so long ago that its outcome is no longer kept, or it was never given out. */
  | 'ERR_MQTT_RECEIPT_FORGOTTEN'
  /** The outcome of a letter was asked to be raised as an error, and it was not delivered. */
  | 'ERR_MQTT_NOT_DELIVERED'
  /** A pointer that must not be NULL was. */
  | 'ERR_MQTT_NULL_POINTER'
  /** A defect in leveret itself; the client is finished. */
  | 'ERR_MQTT_PANIC'
  /** The operating system refused something leveret needs, such as a thread. */
  | 'ERR_MQTT_SYSTEM'
  /** The wait was given up before it was over. */
  | 'ERR_MQTT_CANCELLED'

/** Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures. */
export declare const ReasonCode: {
  readonly SUCCESS: 0x00
  readonly GRANTED_QOS_1: 0x01
  readonly GRANTED_QOS_2: 0x02
  readonly DISCONNECT_WITH_WILL: 0x04
  readonly NO_MATCHING_SUBSCRIBERS: 0x10
  readonly NO_SUBSCRIPTION_EXISTED: 0x11
  readonly CONTINUE_AUTHENTICATION: 0x18
  readonly REAUTHENTICATE: 0x19
  readonly UNSPECIFIED_ERROR: 0x80
  readonly MALFORMED_PACKET: 0x81
  readonly PROTOCOL_ERROR: 0x82
  readonly IMPLEMENTATION_SPECIFIC_ERROR: 0x83
  readonly UNSUPPORTED_PROTOCOL_VERSION: 0x84
  readonly CLIENT_IDENTIFIER_NOT_VALID: 0x85
  readonly BAD_USER_NAME_OR_PASSWORD: 0x86
  readonly NOT_AUTHORIZED: 0x87
  readonly SERVER_UNAVAILABLE: 0x88
  readonly SERVER_BUSY: 0x89
  readonly BANNED: 0x8a
  readonly SERVER_SHUTTING_DOWN: 0x8b
  readonly BAD_AUTHENTICATION_METHOD: 0x8c
  readonly KEEP_ALIVE_TIMEOUT: 0x8d
  readonly SESSION_TAKEN_OVER: 0x8e
  readonly TOPIC_FILTER_INVALID: 0x8f
  readonly TOPIC_NAME_INVALID: 0x90
  readonly PACKET_IDENTIFIER_IN_USE: 0x91
  readonly PACKET_IDENTIFIER_NOT_FOUND: 0x92
  readonly RECEIVE_MAXIMUM_EXCEEDED: 0x93
  readonly TOPIC_ALIAS_INVALID: 0x94
  readonly PACKET_TOO_LARGE: 0x95
  readonly MESSAGE_RATE_TOO_HIGH: 0x96
  readonly QUOTA_EXCEEDED: 0x97
  readonly ADMINISTRATIVE_ACTION: 0x98
  readonly PAYLOAD_FORMAT_INVALID: 0x99
  readonly RETAIN_NOT_SUPPORTED: 0x9a
  readonly QOS_NOT_SUPPORTED: 0x9b
  readonly USE_ANOTHER_SERVER: 0x9c
  readonly SERVER_MOVED: 0x9d
  readonly SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: 0x9e
  readonly CONNECTION_RATE_EXCEEDED: 0x9f
  readonly MAXIMUM_CONNECT_TIME: 0xa0
  readonly SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: 0xa1
  readonly WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: 0xa2
}
