// The errors of leveret: one class, told apart by `code`.
'use strict'

/** What went wrong. `code` is `ERR_MQTT_…` from the error table; `reason` the broker's reason code where there is one. */
class MqttError extends Error {
  constructor(code, message, { reason, outcome } = {}) {
    super(message)
    this.name = 'MqttError'
    this.code = code
    if (reason !== undefined && reason !== null) this.reason = reason
    if (outcome !== undefined) this.outcome = outcome
  }
}

/** The error for what the native half tells as `[code, message, reason]`. */
const errorOf = ([code, message, reason]) => new MqttError(code, message, { reason })

/**
 * Calls into the native half. What it throws carries its parts behind a marker in the message, because a native module
 * can throw nothing richer than a plain error.
 */
function guarded(call) {
  try {
    return call()
  } catch (error) {
    const [, code, reason, message] = /^leveret:(\w+):(\d*):(.*)$/s.exec(error.message) ?? []
    if (code === undefined) throw error
    throw new MqttError(code, message, { reason: reason === '' ? undefined : Number(reason) })
  }
}

module.exports = { MqttError, errorOf, guarded }
