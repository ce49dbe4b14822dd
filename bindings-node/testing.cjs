// An MQTT broker inside this process, for tests: real sockets on a free loopback port, both versions of MQTT.
'use strict'

const { guarded } = require('./errors.cjs')
const { Message } = require('./message.cjs')
const native = require('./native.cjs')

/** A broker on a thread of its own, listening when it is made, until `close()`. */
class Broker {
  #native

  constructor(options = {}) {
    this.#native = guarded(() => new native.NativeBroker(options))
  }

  /** Its address, `mqtt://127.0.0.1:port`; the same as long as it lives. */
  get url() {
    return this.#native.url()
  }

  /** Every PUBLISH from a client in order of arrival, recorded before it is acknowledged; re-deliveries have `dup`. */
  get received() {
    return this.#native.received().map((delivery) => new Message(delivery, null))
  }

  /** Waits until `count` PUBLISH packets have been received. */
  waitReceived(count, { timeout } = {}) {
    return this.#native.waitReceived(count, timeout).then((reached) => {
      if (!reached) throw guarded.timedOut(`${this.received.length} of ${count} came`)
    })
  }

  /** Ends all connections without a word and refuses new ones; keeps the port and, unless `forget`, the sessions. */
  stop({ forget = false } = {}) {
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

  /** Ends the broker for good. */
  close() {
    this.#native.close()
  }

  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
    this.close()
  }
}

module.exports = { Broker }
