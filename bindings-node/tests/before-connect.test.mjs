// `beforeConnect`: credentials, will and URL by function before each attempt to connect.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { brokerFor, CLEAN, clientFor, error, eventually, gate, LIMIT, PACKAGE, program } from './common.mjs'
import { peerFor } from './peer.mjs'

/** What no event, log or text may show. */
const SECRET = 'hush-hush'
const FIVE = { protocol: '5' }

/** The errors of the attempts that fail. */
function failures(client) {
  const errors = []
  client.on('connection', (event) => event.kind === 'attempt_failed' && errors.push(event.error))
  return errors
}

test('each connection is made with what was said for it', async (t) => {
  const peer = await peerFor(t)
  const asked = []
  const beforeConnect = async (attempt) => {
    asked.push(attempt)
    const will = { topic: 'gone', payload: `after ${attempt.number}`, qos: 1 }
    return { username: `device ${attempt.number}`, password: Buffer.from(SECRET), will }
  }
  const client = clientFor(t, peer.url, { ...FIVE, username: 'of the options', will: { topic: 'w' }, beforeConnect })
  for (const number of [1, 2]) {
    const { username, password, will } = await peer.online()
    assert.deepEqual({ username, password, will }, { username: `device ${number}`, password: SECRET, will: { topic: 'gone', payload: `after ${number}`, qos: 1 } })
    await client.waitFor('online', { timeout: LIMIT })
    peer.hangUp()
    await client.waitFor('offline', { timeout: LIMIT })
  }
  assert.deepEqual(asked.slice(0, 2), [{ url: peer.url, number: 1 }, { url: peer.url, number: 2 }])
})

for (const nothing of [undefined, null, {}, { will: null, url: undefined }]) {
  test(`what is not said is as the options say: ${inspect(nothing)}`, async (t) => {
    const peer = await peerFor(t)
    clientFor(t, peer.url, { ...FIVE, username: 'u', password: SECRET, will: { topic: 'w', payload: 'x' }, beforeConnect: () => nothing })
    const { username, password, will } = await peer.online()
    assert.deepEqual([username, password, will.topic], ['u', SECRET, 'w'])
  })
}

test('the will that was said is published', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url, { beforeConnect: () => ({ will: { topic: 'state/1', payload: 'gone at 7', retain: true } }) })
  await client.waitFor('online', { timeout: LIMIT })
  await client.close({ withWill: true })
  const other = clientFor(t, broker.url)
  for await (const message of other.subscription('state/#')) {
    assert.equal(message.payload.toString(), 'gone at 7')
    break
  }
})

test('a signed url and headers are said for each attempt', async (t) => {
  const path = `/mqtt?signature=${SECRET}`
  const broker = brokerFor(t, { websocket: true, websocketPath: path, websocketHeader: 'X-Token: fresh' })
  const { port } = new URL(broker.url)
  const said = { url: `ws://127.0.0.1:${port}${path}`, websocketHeaders: { 'X-Token': 'fresh' } }
  const client = clientFor(t, 'ws://127.0.0.1:1/mqtt', { beforeConnect: async () => said })
  await client.waitFor('online', { timeout: LIMIT })
  assert.ok(!inspect(client).includes(SECRET))
  assert.ok(!JSON.stringify(client.stats()).includes(SECRET))
})

for (const [what, answer, text] of [
  ['throws', () => { throw new Error('no token') }, 'no token'],
  ['throws text', () => { throw 'no token' }, 'no token'],
  ['rejects', async () => { throw new TypeError('no token') }, 'no token'],
  ['throws what cannot be shown', () => { throw { get message() { throw this }, get stack() { throw this } } }, 'cannot be shown'],
  ['throws half a character', () => { throw new Error('half \udcff') }, 'half'],
  ['returns a number', () => 73537, 'what beforeConnect returns must be an object of options, or undefined, not a number'],
  ['returns its token alone', async () => SECRET, 'what beforeConnect returns must be an object of options, or undefined, not a string'],
  ['returns a list', () => [SECRET], 'what beforeConnect returns must be an object of options, or undefined, not a list'],
  ['says what is no option', () => ({ qos: 1 }), 'unknown connect option "qos"'],
  ['says a password that is none', () => ({ password: 73537 }), 'password must be'],
  ['says a url that is none', () => ({ url: `mqtt://u:${SECRET}@h:99999` }), '99999'],
  ['says headers that are none', () => ({ websocketHeaders: 73537 }), 'websocketHeaders must be'],
  ['says a will that is none', () => ({ will: 7 }), 'will must be an object or null, not 7'],
  ['says a will without a topic', () => ({ will: { payload: 'x' } }), 'willTopic must be given where willPayload is'],
]) {
  test(`a function that ${what} lets the attempt fail, and another follows`, async (t) => {
    const broker = brokerFor(t)
    const lines = []
    let calls = 0
    const client = clientFor(t, broker.url, { beforeConnect: () => (calls++ < 2 ? answer() : undefined) })
    client.on('log', ({ text }) => lines.push(text))
    const errors = failures(client)
    await client.waitFor('online', { timeout: LIMIT })
    assert.equal(errors.length, 2)
    for (const { code, message } of errors) {
      assert.equal(code, 'ERR_MQTT_REFUSED')
      assert.ok(message.includes(text), message)
    }
    for (const shown of [...lines, ...errors.map((each) => inspect(each))]) assert.ok(!shown.includes(SECRET) && !shown.includes('73537'), shown)
  })
}

test('a promise that never ends is late after hookTimeout, the next attempt is asked for, and close waits for none', async (t) => {
  const broker = brokerFor(t)
  let calls = 0
  const client = clientFor(t, broker.url, { hookTimeout: 30, beforeConnect: () => (calls++ < 2 ? new Promise(() => {}) : undefined) })
  const errors = failures(client)
  await client.waitFor('online', { timeout: LIMIT })
  assert.deepEqual(errors.map(({ code }) => code), ['ERR_MQTT_TIMED_OUT', 'ERR_MQTT_TIMED_OUT'])
  let begun = false
  const other = clientFor(t, broker.url, { hookTimeout: '1h', beforeConnect: () => ((begun = true), new Promise(() => {})) })
  await eventually(() => begun)
  await other.close()
  assert.equal(other.status, 'closed')
})

test('an answer that comes after its client was closed changes nothing', async (t) => {
  const { open, opened } = gate()
  let begun = false
  const client = clientFor(t, brokerFor(t).url, { beforeConnect: async () => ((begun = true), await opened, { username: 'late' }) })
  await eventually(() => begun)
  await client.close()
  open()
  await opened
  assert.equal(client.status, 'closed')
})

test('every call that needs no connection may be made inside', async (t) => {
  const broker = brokerFor(t)
  const { open, opened } = gate()
  let calls = 0
  const client = clientFor(t, broker.url, {
    beforeConnect: async () => {
      if (calls++ > 0) return // asked again, because of the reconnect
      try {
        const receipt = client.publish('b')
        assert.match(await client.explain(receipt), /wait/)
        await client.cancel(receipt)
        assert.equal((await receipt).status, 'cancelled')
        client.publish('a', 'from inside')
        client.subscribe('c', () => {}).catch(() => {})
        client.reconnect()
        open('all')
      } catch (thrown) {
        open(thrown)
      }
    },
  })
  assert.equal(await opened, 'all')
  const [{ payload }] = await broker.waitReceived(1, { timeout: LIMIT })
  assert.equal(payload.toString(), 'from inside')
})

test('what is no function is refused', () => {
  for (const name of ['beforeConnect', 'signer']) {
    assert.throws(() => clientFor({ after() {} }, 'mqtt://localhost', { [name]: 7 }), error('INVALID_ARGUMENT', `${name} must be a function, not 7`))
  }
})

for (const answer of ['new Promise(() => {})', 'client.close()', 'process.exit(0)', 'client.unref() && new Promise(() => {})']) {
  test(`being asked keeps no program from ending: ${answer}`, async () => {
    const source = `
      import { connect } from ${JSON.stringify(PACKAGE)}
      let asked = false
      const client = connect('mqtt://127.0.0.1:1', { beforeConnect: () => ((asked = true), ${answer}) })
      const look = setInterval(() => asked && (clearInterval(look), client.close()), 1)
    `
    assert.deepEqual(await program(source), CLEAN)
  })
}
