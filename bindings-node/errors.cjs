// The errors of leveret: one class, told apart by `code`.
'use strict'

const { inspect } = require('node:util')

const { errors } = require('./tables.cjs')

/** What went wrong. `code` is `ERR_MQTT_…` from the error table; `reason` the broker's reason code where there is one. */
class MqttError extends Error {
  constructor(code, message, { reason, ...more } = {}) {
    super(message)
    this.code = code
    if (reason !== undefined && reason !== null) this.reason = reason
    Object.assign(this, more)
  }

  /** Can the same call succeed later without anything being changed. */
  get retryable() {
    return errors[this.code]?.retryable ?? false
  }
}
Object.defineProperty(MqttError.prototype, 'name', { value: 'MqttError', configurable: true, writable: true })

/** The error for what the native half tells as `[code, message, reason]`. */
const errorOf = ([code, message, reason], more) => new MqttError(code, message, { reason, ...more })

/** The error of a kind that needs no more words than the table has. */
const plainError = (code) => new MqttError(code, errors[code].text)

/**
 * Calls into the native half. What it throws carries its parts behind a marker in the message, because a native module
 * can throw nothing richer than a plain error.
 */
function guarded(call) {
  try {
    return call()
  } catch (error) {
    throw enriched(error)
  }
}

/** An error of the native half as what users see. */
function enriched(error) {
  const [, code, reason, message] = /^leveret:(\w+):(\d*):(.*)$/s.exec(error?.message) ?? []
  return code === undefined ? error : errorOf([code, message, reason === '' ? undefined : Number(reason)])
}

/** What a handler threw, in words: it may be anything, also what cannot be shown without throwing again. */
function shownThrown(thrown) {
  try {
    const stack = thrown?.stack
    if (typeof stack === 'string') return stack
    return typeof thrown === 'string' ? thrown : inspect(thrown)
  } catch {
    return 'with something that cannot be shown'
  }
}

module.exports = { MqttError, enriched, errorOf, guarded, plainError, shownThrown }
