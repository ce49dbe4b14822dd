// The package leveret: an MQTT client with a local post office.
'use strict'

const { Client, connect } = require('./client.cjs')
const { MqttError } = require('./errors.cjs')
const { Message } = require('./message.cjs')
const native = require('./native.cjs')
const { Outcome, Receipt } = require('./outcome.cjs')

module.exports = {
  version: native.VERSION,
  connect,
  Client,
  Message,
  MqttError,
  Outcome,
  Receipt,
  /** Ends the shared background runtime; clients that are still open are closed. */
  shutdown: () => native.shutdown(),
  /** Sets the number of threads of the shared runtime: 1 to 256, before the first client is made. */
  setRuntimeThreads: (count) => native.setRuntimeThreads(count),
}
