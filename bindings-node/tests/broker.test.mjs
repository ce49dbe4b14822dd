// The ways to a test broker, gone by Node's own TLS and sockets: they are what they say.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import test from 'node:test'
import { connect } from 'node:tls'
import { Broker } from 'leveret/testing'
import { error } from './common.mjs'

/** CONNECT of MQTT 3.1.1 with the client identifier "a" and a clean session, and the answer. */
const CONNECT = Buffer.from('\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01a', 'latin1')
const CONNACK = '20020000'

function brokerWith(t, options) {
  const broker = new Broker(options)
  t.after(() => broker.close())
  return broker
}

const port = (broker) => Number(new URL(broker.url.replace(/^\w+/, 'http')).port)
const secured = (broker, options) => connect({ host: '127.0.0.1', port: port(broker), ca: broker.caPem, ...options })

async function answer(socket) {
  socket.write(CONNECT)
  const [bytes] = await once(socket, 'data')
  socket.destroy()
  return bytes.toString('hex')
}

test('TLS with a certificate of the broker’s own authority', async (t) => {
  const broker = brokerWith(t, { tls: true })
  assert.match(broker.url, /^mqtts:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(await answer(secured(broker)), CONNACK)
})

test('certificates of clients', async (t) => {
  const broker = brokerWith(t, { clientCertificates: true })
  assert.equal(await answer(secured(broker, { cert: broker.clientCertPem, key: broker.clientKeyPem })), CONNACK)
  const [refused] = await once(secured(broker).resume(), 'error')
  assert.match(refused.message, /alert/)
})

test('bad certificates are bad to others too', async (t) => {
  const broker = brokerWith(t, { tls: true })
  const reasons = {
    expired: /expired/,
    not_yet_valid: /not yet valid/,
    wrong_name: /not in the cert's list|does not match/,
    unknown_ca: /issuer|self.signed/,
    wrong_purpose: /purpose/,
    missing_intermediate: /issuer|first certificate/,
  }
  for (const [certificate, reason] of Object.entries(reasons)) {
    broker.showCertificate(certificate)
    const [refused] = await once(secured(broker), 'error')
    assert.match(refused.message, reason)
  }
  broker.showCertificate('valid')
  assert.equal(await answer(secured(broker)), CONNACK)
})

test('WebSocket', async (t) => {
  const broker = brokerWith(t, { websocket: true })
  assert.match(broker.url, /^ws:\/\/127\.0\.0\.1:\d+\/mqtt$/)
  const socket = createConnection(port(broker), '127.0.0.1')
  const headers = ['Host: a', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: mqtt']
  socket.write(`GET /mqtt HTTP/1.1\r\n${headers.join('\r\n')}\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`)
  const [bytes] = await once(socket, 'data')
  assert.match(bytes.toString(), /^HTTP\/1\.1 101 /)
  socket.destroy()
})

test('Unix sockets', { skip: process.platform === 'win32' }, async (t) => {
  const broker = brokerWith(t, { unixSocket: true })
  assert.equal(await answer(createConnection(broker.url.replace('mqtt+unix://', ''))), CONNACK)
})

test('what is not there is null, and what is wrong is told', (t) => {
  const broker = brokerWith(t)
  assert.deepEqual([broker.caPem, broker.clientCertPem, broker.clientKeyPem], [null, null, null])
  assert.throws(() => broker.showCertificate('valid'), error('NOT_SUPPORTED', /option tls is not set/))
  assert.throws(() => broker.showCertificate(5), error('INVALID_ARGUMENT', /^certificate must be/))
  assert.throws(() => brokerWith(t, { tls: true }).showCertificate('good'), error('INVALID_ARGUMENT', /^certificate must be "valid", .* not "good"$/))
  assert.throws(() => new Broker({ unixSocket: true, tls: true }), error('INVALID_ARGUMENT', /^unix_?[sS]ocket cannot be combined/))
})
