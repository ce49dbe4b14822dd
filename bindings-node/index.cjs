// The package leveret: an MQTT client with a local post office.
'use strict'

const { Client, clients, connect } = require('./client.cjs')
const { MqttError, guarded } = require('./errors.cjs')
const { Message } = require('./message.cjs')
const native = require('./native.cjs')
const { Outcome, Receipt } = require('./outcome.cjs')
const { ReasonCode } = require('./tables.cjs')

module.exports = {
  version: native.VERSION,
  connect,
  Client,
  clients,
  Message,
  MqttError,
  Outcome,
  ReasonCode,
  Receipt,
  /** Ends the shared background runtime; clients that are still open are closed. */
  shutdown: () => guarded(() => native.shutdown()),
  /** Sets the number of threads of the shared runtime, before the first client is made. */
  setRuntimeThreads: (count) => guarded(() => native.setRuntimeThreads(count)),
}
