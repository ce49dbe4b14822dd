// The package leveret: an MQTT client with a local post office.
'use strict'

const native = require('./native.cjs')

module.exports = { version: native.VERSION }
