// A message from the broker, as handlers and iterators get it.
'use strict'

/** A message. Its payload is a Buffer of its own. */
class Message {
  #delivery
  #native

  constructor(delivery, native) {
    this.#delivery = delivery
    this.#native = native
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
   * already or its connection is gone, it does nothing.
   */
  ack() {
    this.#native?.acknowledge(this.#delivery.id)
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
