// An MQTT broker inside this process, for tests: real sockets on a free loopback port, both versions of MQTT.
'use strict'

const { named, payloadOf, refuse } = require('./arguments.cjs')
const { enriched, guarded } = require('./errors.cjs')
const { Message } = require('./message.cjs')
const native = require('./native.cjs')
const { LIMITS, milliseconds } = require('./waits.cjs')

/** How long one look of a wait takes, in milliseconds; between two of them it can be given up. */
const LOOK = 50

/** A broker on a thread of its own, listening when it is made, until `close()`. */
class Broker {
  #native

  constructor(options = {}) {
    this.#native = guarded(() => new native.NativeBroker(options))
  }

  /** Its address, `mqtt://127.0.0.1:port` or what its options make of that; the same as long as it lives. */
  get url() {
    return this.#native.url()
  }

  /** The certificate authority of this broker alone, as PEM: what its clients have to trust; null without TLS. */
  get caPem() {
    return this.#native.caPem()
  }

  /** A certificate with which a client identifies itself to this broker, as PEM; null without TLS. */
  get clientCertPem() {
    return this.#native.clientCertPem()
  }

  /** The key that belongs to `clientCertPem`, as PEM; null without TLS. */
  get clientKeyPem() {
    return this.#native.clientKeyPem()
  }

  /** Shows this certificate to clients that connect from now on: `valid` is a new one, as after a renewal; clients refuse the others. */
  showCertificate(certificate) {
    guarded(() => this.#native.showCertificate(certificate))
  }

  /** Every PUBLISH from a client in order of arrival, recorded before it is acknowledged; re-deliveries have `dup`. */
  get received() {
    return this.#native.received().map((delivery) => new Message(delivery, null))
  }

  /** Waits until `count` PUBLISH packets have been received, 5 seconds unless `timeout` says otherwise; resolves with all there are. */
  async waitReceived(count, options = {}) {
    const { timeout = 5000, signal } = named(options, LIMITS)
    const limit = milliseconds(timeout) ?? Infinity
    for (const begin = performance.now(); ; ) {
      signal?.throwIfAborted()
      const left = Math.max(0, begin + limit - performance.now())
      try {
        await guarded(() => this.#native.waitReceived(count, Math.min(LOOK, Math.ceil(left))))
        return this.received
      } catch (error) {
        const told = enriched(error)
        if (told.code !== 'ERR_MQTT_TIMED_OUT' || left <= LOOK) throw told
      }
    }
  }

  /** Ends all connections without a word and refuses new ones; keeps the port and, unless `forget`, the sessions. */
  stop(options = {}) {
    const { forget = false } = named(options, ['forget'])
    if (typeof forget !== 'boolean') refuse('forget', 'true or false', forget)
    guarded(() => this.#native.stop(forget))
  }

  /** Listens again on the same port. */
  start() {
    guarded(() => this.#native.start())
  }

  /** Swallows the next `count` packets of this type from clients, as if they had been lost: `PUBLISH`, `PUBACK`, … */
  swallow(packet, count = 1) {
    guarded(() => this.#native.swallow(packet, count))
  }

  /** The same for packets to clients: `PUBACK`, `CONNACK`, … */
  swallowOutgoing(packet, count = 1) {
    guarded(() => this.#native.swallowOutgoing(packet, count))
  }

  /** How many clients are connected. */
  get connections() {
    return this.#native.connections()
  }

  /** Publishes a message from the broker itself to whoever subscribes, and retains it if `retain`. */
  publish(topic, payload = '', options = {}) {
    const { qos = 0, retain = false } = named(options, ['qos', 'retain'])
    if (typeof retain !== 'boolean') refuse('retain', 'true or false', retain)
    guarded(() => this.#native.publish(topic, payloadOf(payload), qos, retain))
  }

  /** Resets every connection and goes on listening. Wills are published. */
  disconnectClients() {
    this.#native.disconnectClients()
  }

  /** Forgets every session and resets the connections that used them. */
  loseSessions() {
    this.#native.loseSessions()
  }

  /** Stops reading from clients, as a broker does that hangs, until it is called with false. */
  pauseReading(paused) {
    if (typeof paused !== 'boolean') refuse('paused', 'true or false', paused)
    this.#native.pauseReading(paused)
  }

  /** Ends the broker for good. */
  close() {
    this.#native.close()
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.close()
  }
}

module.exports = { Broker }
