// A message from the broker, as handlers and iterators get it.
'use strict'

const { named, objectOf, optionsOf, payloadOf } = require('./arguments.cjs')
const { guarded, plainError } = require('./errors.cjs')

/** A message. Its payload is a Buffer of its own. */
class Message {
  #delivery
  #native
  #respond

  /** `respond` posts a response and returns its receipt; there is none where no client received the message. */
  constructor(delivery, native, respond) {
    this.#delivery = delivery
    this.#native = native
    this.#respond = respond
  }

  /** Topic name. */
  get topic() {
    return this.#delivery.topic
  }

  /** What stands between the slashes of the topic name. */
  get levels() {
    return this.topic.split('/')
  }

  /** The payload, which may be empty. */
  get payload() {
    return this.#delivery.payload
  }

  /** QoS of this delivery: 0, 1 or 2. */
  get qos() {
    return this.#delivery.qos
  }

  /** Is it a retained message. */
  get retain() {
    return this.#delivery.retain
  }

  /** May the broker have sent this packet before. */
  get dup() {
    return this.#delivery.dup
  }

  /** MQTT 5 properties by name; empty on MQTT 3.1.1. */
  get properties() {
    return this.#delivery.properties ?? {}
  }

  /**
   * Acknowledges the message, where the client was made with `manualAck: true`; else, and when it is acknowledged
   * already or its connection is gone, it does nothing. The acknowledgement carries `reason` and, on MQTT 5, words.
   */
  ack(options = {}) {
    const { reason, ...words } = named(options, ['reason', 'reasonString', 'userProperties'])
    guarded(() => this.#native?.acknowledge(this.#delivery.id, reason, words))
  }

  /**
   * Answers the message on the response topic that it names, with its correlation data and its QoS; returns the receipt at once. The
   * response lives as long as the message says that it is waited for. `topic` is where to answer a message that names no response topic,
   * as none does on MQTT 3.1.1. Throws when the response was not accepted.
   */
  respond(payload = '', options = {}) {
    const { topic, ...own } = objectOf(options)
    if (this.#respond === undefined) throw plainError('ERR_MQTT_CLOSED')
    const { responseTopic, correlationData, messageExpiryInterval } = this.properties
    const to = { topic: responseTopic, correlationData, qos: this.qos, messageExpiry: messageExpiryInterval }
    return this.#respond(to, topic, payloadOf(payload), optionsOf(own))
  }

  toJSON() {
    const { topic, payload, qos, retain, dup, properties } = this
    return { topic, payload, qos, retain, dup, properties }
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    return `Message ${inspect(this.toJSON(), options)}`
  }
}

module.exports = { Message }
