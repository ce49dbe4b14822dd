// Receipts and outcomes: what became of a letter, as a value that is never a rejected promise.
'use strict'

const { errorOf } = require('./errors.cjs')
const native = require('./native.cjs')
const { outcomes } = require('./tables.cjs')

/** The outcome of one letter. */
class Outcome {
  constructor([status, maybeDelivered, reason, reasonString, userProperties]) {
    /** `acknowledged`, `sent`, `expired`, `dropped`, `rejected`, `cancelled`, `session_lost` or `closed`. */
    this.status = status
    /** Did it go as asked. */
    this.ok = outcomes[status].ok
    /** Does the broker have it for certain. */
    this.delivered = outcomes[status].delivered
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
    const { status, maybeDelivered, reason, reasonString } = this
    throw errorOf(native.notDelivered(status, maybeDelivered, reason, reasonString), { outcome: this })
  }

  toString() {
    return this.status
  }
}

/** The receipt of one letter: `await` it for its outcome, as often as you like, or never. */
class Receipt {
  #tag
  #waits
  #outcome = null
  #promise = null
  #resolve = null

  constructor(tag, waits) {
    this.#tag = tag
    this.#waits = waits
  }

  /** The outcome if there is one already, else null. */
  get outcome() {
    return this.#outcome
  }

  /**
   * The outcome, waited for at most `timeout`. Rejects with ERR_MQTT_TIMED_OUT (which changes nothing for the letter),
   * or with the reason of `signal`.
   */
  async wait(options = {}) {
    return this.#outcome ?? this.#waits.within(() => this.#settled(), options)
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

  get [Symbol.toStringTag]() {
    return 'Receipt'
  }

  /** The number of a receipt among the letters of its client; for any other thing an error. */
  static tagOf(receipt, waits) {
    if (receipt instanceof Receipt && receipt.#waits === waits) return receipt.#tag
    return native.refuse('receipt', 'a receipt of this client', receipt instanceof Receipt ? 'one of another' : receipt)
  }

  /** Tells a receipt what became of its letter. */
  static settle(receipt, outcome) {
    receipt.#outcome = outcome
    receipt.#resolve?.(outcome)
  }

  #settled() {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve
    })
    return this.#promise
  }
}

module.exports = { Outcome, Receipt }
