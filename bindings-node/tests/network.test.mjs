// The way to the broker: a socket handed over, certificates and keys in files that change, and material that cannot be used.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { brokerFor, clientFor, error, first, LIMIT, PACKAGE } from './common.mjs'

/** A folder of the test's own. */
async function folderFor(t) {
  const folder = await mkdtemp(join(tmpdir(), 'leveret-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** Runs a program that has a socket as its descriptor 3; what it printed. */
async function withSocket(broker, source) {
  const { hostname, port } = new URL(broker.url)
  const socket = dial(Number(port), hostname)
  await once(socket, 'connect')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'inherit', socket], timeout: 6 * LIMIT })
  // The parent's end is not the child's.
  socket.destroy()
  let printed = ''
  child.stdout.on('data', (data) => (printed += data))
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  return printed
}

const IS_OPEN = `
  import { fstatSync } from 'node:fs'
  import { connect } from ${JSON.stringify(PACKAGE)}
  // Another socket may have the number next.
  const which = fstatSync(3).ino
  const isOpen = () => { try { return fstatSync(3).ino === which } catch { return false } }
`

test('a socket handed over serves the first attempt, and is the client\'s', async (t) => {
  const [here, named] = [brokerFor(t), brokerFor(t)]
  const printed = await withSocket(here, `${IS_OPEN}
    const client = connect(${JSON.stringify(named.url)}, { fd: 3, backoffMin: 10, backoffMax: 30 })
    await client.publish('a', 'over the socket')
    console.log(isOpen())
    // From then on the url is dialed.
    const offline = client.waitFor('offline')
    client.reconnect()
    await offline
    await client.publish('a', 'dialed')
    await client.close()
    while (isOpen()) await new Promise(setImmediate)
    console.log('closed')
  `)
  assert.equal(printed, 'true\nclosed\n')
  const payloads = (broker) => broker.received.map(({ payload }) => payload.toString())
  assert.deepEqual([payloads(here), payloads(named)], [['over the socket'], ['dialed']])
})

test('a client that never used its socket closes it, and one that was refused leaves it alone', async (t) => {
  const printed = await withSocket(brokerFor(t), `${IS_OPEN}
    for (const wrong of [{ qos: 1 }, { keepAlive: -1 }, { proxy: 'gopher://localhost' }]) {
      try { connect('mqtt://localhost', { fd: 3, ...wrong }) } catch { console.log(isOpen()) }
    }
    await connect('mqtt://127.0.0.1:1', { fd: 3 }).close({ timeout: 0 })
    while (isOpen()) await new Promise(setImmediate)
  `)
  assert.equal(printed, 'true\ntrue\ntrue\n')
})

test('what is no connected socket is refused', () => {
  const refused = (fd, text) => assert.throws(() => clientFor({ after() {} }, 'mqtt://localhost', { fd }), error('INVALID_ARGUMENT', text))
  refused(2 ** 31 - 1, /fd must be the descriptor of a connected socket/)
  refused(-1, /fd must be/)
  refused('3', /fd must be/)
})

test('files are read again before each connect, and broken ones are kept out', async (t) => {
  const [broker, stranger] = [brokerFor(t, { clientCertificates: true }), brokerFor(t, { clientCertificates: true })]
  const folder = await folderFor(t)
  const good = { tlsCaFile: broker.caPem, tlsCertFile: broker.clientCertPem, tlsKeyFile: broker.clientKeyPem }
  const files = Object.fromEntries(Object.keys(good).map((name) => [name, join(folder, `${name}.pem`)]))
  for (const name in good) await writeFile(files[name], good[name])
  const client = clientFor(t, broker.url, files)
  await client.waitFor('online', { timeout: LIMIT })
  for (const [name, text, sentence] of [
    ['tlsCaFile', '', 'which is empty'],
    ['tlsCertFile', 'garbage', 'holds no certificate'],
    ['tlsKeyFile', '-----BEGIN PRIVATE KEY-----\n', 'holds broken PEM: a section has no -----END line'],
    ['tlsKeyFile', stranger.clientKeyPem, 'holds another key than that of the certificate in tlsCertFile'],
  ]) {
    await writeFile(files[name], text)
    const noticed = first(client, 'notice')
    const online = first(client, 'online')
    client.reconnect()
    const [{ kind, text: told }] = await noticed
    assert.equal(kind, 'tls_files_kept')
    assert.ok(told.includes(sentence) && told.includes(name), told)
    assert.ok(!told.includes(broker.clientKeyPem.split('\n')[1]), told)
    await online
    await writeFile(files[name], good[name])
  }
  // What is as it has to be counts: now the broker is not trusted any more.
  await writeFile(files.tlsCaFile, stranger.caPem)
  const failed = new Promise((resolve) => client.on('connection', (event) => event.kind === 'attempt_failed' && resolve(event.error)))
  client.reconnect()
  assert.match((await failed).message, /another key than that of the trusted CA/)
  await writeFile(files.tlsCaFile, good.tlsCaFile)
  await client.waitFor('online', { timeout: LIMIT })
  assert.ok((await client.publish('a')).delivered)
})

test('no letter is lost while files and certificates are renewed', async (t) => {
  const broker = brokerFor(t, { tls: true })
  const tlsCaFile = join(await folderFor(t), 'ca.pem')
  await writeFile(tlsCaFile, broker.caPem)
  const client = clientFor(t, broker.url, { tlsCaFile })
  const receipts = []
  for (let turn = 0; turn < 5; turn++) {
    receipts.push(...client.publishMany(Array.from({ length: 100 }, (_, number) => ['a', `${turn} ${number}`])))
    broker.showCertificate('valid')
    await writeFile(tlsCaFile, turn % 2 ? 'half a file' : broker.caPem)
    client.reconnect()
  }
  for (const outcome of await Promise.all(receipts)) assert.ok(outcome.delivered)
  assert.equal(new Set(broker.received.map(({ payload }) => payload.toString())).size, receipts.length)
})

test('material that cannot be used is refused with a reason', async (t) => {
  const broker = brokerFor(t, { tls: true })
  const [cert, key, other] = [broker.clientCertPem, broker.clientKeyPem, brokerFor(t, { tls: true }).clientKeyPem]
  const garbage = '-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n'
  const folder = await folderFor(t)
  for (const [name, text] of [['empty', ''], ['garbage', garbage], ['cut', key.replace('-----END', '')]]) await writeFile(join(folder, name), text)
  const at = (name) => join(folder, name)
  for (const [given, sentence] of [
    [{ tlsCaFile: at('missing') }, 'which cannot be read: No such file'],
    [{ tlsCaFile: folder }, 'which cannot be read: Is a directory'],
    [{ tlsCaFile: at('empty') }, 'which is empty'],
    [{ tlsCaFile: at('garbage') }, 'which holds broken PEM: a section is not base64'],
    [{ tlsCa: Buffer.from([0x30, 3, 97, 98, 99, 0]) }, 'tlsCa holds'],
    [{ tlsCa: 'hello' }, 'tlsCa holds no certificate'],
    [{ tlsCa: key }, 'tlsCa holds no certificate, but a private key'],
    [{ tlsCa: 'x', tlsCaFile: at('empty') }, 'tlsCaFile must not be given where tlsCa is'],
    [{ tlsCert: cert }, 'tlsKey or tlsKeyFile must be given where tlsCert is'],
    [{ tlsKey: key }, 'tlsCert or tlsCertFile must be given where tlsKey is'],
    [{ tlsCert: cert, tlsKey: other }, 'tlsKey holds another key than that of the certificate in tlsCert'],
    [{ tlsCert: cert, tlsKey: cert }, 'tlsKey holds no private key, but a certificate'],
    [{ tlsCert: cert, tlsKeyFile: at('empty') }, 'which is empty'],
    [{ tlsCert: cert, tlsKeyFile: at('cut') }, 'which holds broken PEM: a section has no -----END line'],
    [{ tlsCert: garbage, tlsKey: key }, 'tlsCert holds broken PEM'],
    [{ tlsCa: 7 }, 'tlsCa must be bytes or text'],
    [{ tlsKey: 7 }, 'tlsKey must be bytes or text'],
  ]) {
    assert.throws(() => clientFor({ after() {} }, 'mqtts://localhost', given), (thrown) => {
      assert.equal(thrown.code, 'ERR_MQTT_INVALID_ARGUMENT')
      assert.ok(thrown.message.includes(sentence), thrown.message)
      for (const secret of [key, other]) assert.ok(!thrown.message.includes(secret.split('\n')[1].slice(0, 20)), thrown.message)
      return true
    })
  }
})

test('certificates and keys are read from DER too', async (t) => {
  const broker = brokerFor(t, { clientCertificates: true })
  const der = (pem) => new X509Certificate(pem).raw
  const tlsKey = createPrivateKey(broker.clientKeyPem).export({ type: 'sec1', format: 'der' })
  const client = clientFor(t, broker.url, { tlsCa: new Uint8Array(der(broker.caPem)).buffer, tlsCert: der(broker.clientCertPem), tlsKey })
  await client.waitFor('online', { timeout: LIMIT })
})
