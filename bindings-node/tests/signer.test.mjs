// The signer: TLS handshakes signed by a function, so that a key can stay elsewhere; here with the crypto of Node.
import assert from 'node:assert/strict'
import { sign as signed } from 'node:crypto'
import { test } from 'node:test'

import { brokerFor, CLEAN, clientFor, error, eventually, gate, LIMIT, PACKAGE, program, TESTING } from './common.mjs'

/** A broker that wants certificates of clients, the options of a client that it knows, without its key, and what signs with that key. */
function guarded(t, signer, more) {
  const broker = brokerFor(t, { clientCertificates: true })
  const sign = (scheme, message) => {
    assert.equal(scheme, 'ecdsa_secp256r1_sha256')
    assert.ok(Buffer.isBuffer(message))
    return signed('sha256', message, broker.clientKeyPem)
  }
  const given = { tlsCa: broker.caPem, tlsCert: broker.clientCertPem, ...more }
  const client = clientFor(t, broker.url, { ...given, signer: (...asked) => signer(() => sign(...asked)) })
  return { broker, client }
}

const failure = (client) => new Promise((resolve) => client.on('connection', (event) => event.kind === 'attempt_failed' && resolve(event.error)))

for (const tlsMaxVersion of ['1.2', '1.3']) {
  for (const [what, signer] of [
    ['at once', (sign) => sign()],
    ['by a promise', async (sign) => (await null, sign())],
    ['in an ArrayBuffer', (sign) => new Uint8Array(sign()).buffer],
  ]) {
    test(`a handshake of TLS ${tlsMaxVersion} is signed ${what}`, async (t) => {
      const { broker, client } = guarded(t, signer, { tlsMaxVersion })
      assert.ok((await client.publish('a', 'x')).delivered)
      assert.equal(broker.received.length, 1)
    })
  }
}

for (const [what, answer, text] of [
  ['throws', () => { throw new Error('the element is locked') }, /the handshake could not be signed: the element is locked$/],
  ['rejects', async () => { throw new Error('the element is locked') }, /the handshake could not be signed: the element is locked$/],
  ['returns text', () => 'signature', /signature must be bytes, not text$/],
  ['returns nothing', () => undefined, /signature must be bytes, not undefined$/],
  ['returns a number', async () => 7, /signature must be bytes, not 7$/],
  ['signs wrongly', () => Buffer.from('no signature'), /./],
]) {
  test(`a signer that ${what} lets the attempt fail, and the next one asks again`, async (t) => {
    let calls = 0
    const { client } = guarded(t, (sign) => (calls++ === 0 ? answer() : sign()), { tlsMaxVersion: '1.2' })
    assert.match((await failure(client)).message, text)
    await client.waitFor('online', { timeout: LIMIT })
    assert.ok(calls >= 2)
  })
}

test('a signer whose promise never ends is given up after connectTimeout', async (t) => {
  let calls = 0
  const { client } = guarded(t, (sign) => (calls++ === 0 ? new Promise(() => {}) : sign()), { connectTimeout: 500 })
  assert.equal((await failure(client)).code, 'ERR_MQTT_TIMED_OUT')
  await client.waitFor('online', { timeout: LIMIT })
})

test('a client whose signer has not answered can be closed, and the answer changes nothing', async (t) => {
  const { open, opened } = gate()
  let begun = false
  const { client } = guarded(t, async (sign) => ((begun = true), await opened, sign()))
  await eventually(() => begun)
  await client.close({ timeout: 0 })
  open()
  await opened
  assert.equal(client.status, 'closed')
})

test('a signer needs its certificate and no key', (t) => {
  const signer = () => Buffer.alloc(0)
  assert.throws(() => clientFor(t, 'mqtts://localhost', { signer }), error('INVALID_ARGUMENT', /tlsCert or tlsCertFile must be given where there is a signer/))
  assert.throws(() => clientFor(t, 'mqtts://localhost', { signer, tlsCert: 'x', tlsKey: 'y' }), error('INVALID_ARGUMENT', /tlsKey must not be given where there is a signer/))
})

for (const answer of ['new Promise(() => {})', 'client.close({ timeout: 0 })', 'process.exit(0)', 'client.unref() && new Promise(() => {})']) {
  test(`a signer keeps no program from ending: ${answer}`, async () => {
    const source = `
      import { connect } from ${JSON.stringify(PACKAGE)}
      import { Broker } from ${JSON.stringify(TESTING)}
      const broker = new Broker({ clientCertificates: true })
      let asked = false
      const signer = () => ((asked = true), ${answer})
      const client = connect(broker.url, { tlsCa: broker.caPem, tlsCert: broker.clientCertPem, signer })
      const end = () => client.close({ timeout: 0 }).then(() => broker.close())
      const look = setInterval(() => asked && (clearInterval(look), end()), 1)
    `
    assert.deepEqual(await program(source), CLEAN)
  })
}
