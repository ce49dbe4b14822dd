// Receipts and outcomes: what became of a letter, as a value that is never a rejected promise.
'use strict'

const { MqttError } = require('./errors.cjs')

/** The outcome of one letter. */
class Outcome {
  constructor([status, maybeDelivered, reason, reasonString, userProperties]) {
    /** `acknowledged`, `sent`, `expired`, `dropped`, `rejected`, `cancelled`, `session_lost` or `closed`. */
    this.status = status
    /** Did it go as asked. */
    this.ok = status === 'acknowledged' || status === 'sent'
    /** Does the broker have it for certain. */
    this.delivered = status === 'acknowledged'
    /** Not acknowledged, but its first byte had left: the broker may have it. */
    this.maybeDelivered = maybeDelivered
    /** The broker's reason code, or null. */
    this.reason = reason ?? null
    /** The reason in words, or null. */
    this.reasonString = reasonString ?? null
    /** The user properties of the broker's answer, in their order. */
    this.userProperties = userProperties ?? []
    Object.freeze(this)
  }

  /** Returns the outcome if it is `ok`, else throws an error with code ERR_MQTT_NOT_DELIVERED whose `outcome` it is. */
  throwForStatus() {
    if (this.ok) return this
    const because = this.reasonString === null ? '' : `, ${JSON.stringify(this.reasonString)}`
    const maybe = this.maybeDelivered ? '; it had been sent, so the broker may have it' : ''
    const message = `the letter was not delivered: ${this.status}${because}${maybe}`
    throw new MqttError('ERR_MQTT_NOT_DELIVERED', message, { reason: this.reason, outcome: this })
  }

  toString() {
    return this.status
  }
}

/** The receipt of one letter: `await` it for its outcome, as often as you like, or never. */
class Receipt {
  #outcome = null
  #promise = null
  #resolve = null
  #wait

  constructor(tag, wait) {
    this.tag = tag
    this.#wait = wait
  }

  /** The outcome if there is one already, else null. */
  get outcome() {
    return this.#outcome
  }

  /**
   * The outcome, waited for at most `timeout` milliseconds. Rejects with ERR_MQTT_TIMED_OUT (which changes nothing for the letter),
   * or with the reason of `signal`.
   */
  wait(options = {}) {
    return this.#wait(() => this.#settled(), options)
  }

  // A receipt is awaited like a promise. It makes one only when somebody asks, so that one nobody looks at costs nothing.
  then(resolve, reject) {
    return this.wait().then(resolve, reject)
  }

  catch(reject) {
    return this.wait().catch(reject)
  }

  finally(done) {
    return this.wait().finally(done)
  }

  settle(outcome) {
    this.#outcome = outcome
    this.#resolve?.(outcome)
  }

  #settled() {
    if (this.#outcome !== null) return Promise.resolve(this.#outcome)
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve
    })
    return this.#promise
  }
}

module.exports = { Outcome, Receipt }
