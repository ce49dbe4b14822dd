// Enhanced authentication: the steps of the authenticator, refusals, and authenticating once more.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { brokerFor, clientFor, error, eventually, LIMIT } from './common.mjs'
import { peerFor } from './peer.mjs'

const METHOD = { protocol: '5', authenticationMethod: 'SCRAM' }
const CONTINUE = 0x18
const AGAIN = 0x19

/** A peer, and a client whose authenticator answers so; the steps it was asked to take. */
async function asked(t, answer, options) {
  const steps = []
  const peer = await peerFor(t)
  const authenticator = (step) => (steps.push(step), answer(step))
  const client = clientFor(t, peer.url, { ...METHOD, ...options, authenticator })
  return { peer, client, steps }
}

/** What failed first. */
const failure = (client) => new Promise((resolve) => client.on('connection', (event) => event.kind === 'attempt_failed' && resolve(event.error)))

const data = (packet) => packet.properties.authenticationData?.toString()

test('an exchange of several steps, in text, bytes, objects and promises', async (t) => {
  const answers = { begin: () => 'first', continue: async () => ({ data: new Uint8Array([1, 2]).buffer, reasonString: 'why', userProperties: { a: 'b' } }), finish: () => undefined }
  const { peer, client, steps } = await asked(t, (step) => answers[step.stage]())
  const connect = await peer.expect('CONNECT')
  assert.deepEqual([connect.properties.authenticationMethod, data(connect)], ['SCRAM', 'first'])
  peer.send('AUTH', { reason: CONTINUE, properties: { authenticationMethod: 'SCRAM', authenticationData: 'salt', userProperty: [['c', 'd']] } })
  const auth = await peer.expect('AUTH')
  assert.equal(auth.reason, CONTINUE)
  assert.deepEqual(auth.properties, { reasonString: 'why', userProperty: [['a', 'b']], authenticationMethod: 'SCRAM', authenticationData: Buffer.from([1, 2]) })
  peer.send('CONNACK', { properties: { authenticationMethod: 'SCRAM', authenticationData: 'proof' } })
  await client.waitFor('online', { timeout: LIMIT })
  await eventually(() => steps.length === 3)
  assert.deepEqual(steps.map(({ stage, reauthentication, method, data }) => [stage, reauthentication, method, data?.toString() ?? null]), [
    ['begin', false, 'SCRAM', null],
    ['continue', false, 'SCRAM', 'salt'],
    ['finish', false, 'SCRAM', 'proof'],
  ])
  assert.deepEqual(steps[1].properties.userProperty, [['c', 'd']])
  assert.deepEqual(Object.keys(steps[0]).sort(), ['data', 'method', 'properties', 'reauthentication', 'stage'])
})

test('reauthenticate takes the same steps while online', async (t) => {
  const { peer, client, steps } = await asked(t, ({ stage }) => (stage === 'begin' ? Buffer.from('token') : null))
  await peer.online({ authenticationMethod: 'SCRAM' })
  await client.waitFor('online', { timeout: LIMIT })
  await eventually(() => steps.length === 2)
  const done = client.reauthenticate({ timeout: LIMIT })
  const auth = await peer.expect('AUTH')
  assert.deepEqual([auth.reason, data(auth)], [AGAIN, 'token'])
  peer.send('AUTH', { properties: { authenticationMethod: 'SCRAM' } })
  await done
  assert.deepEqual(steps.slice(2).map(({ stage, reauthentication }) => [stage, reauthentication]), [['begin', true], ['finish', true]])
  await assert.rejects(client.reauthenticate({ timeout: 20 }), error('TIMED_OUT'))
  await assert.rejects(client.reauthenticate({ signal: AbortSignal.abort(new Error('no')) }), /no/)
})

test('reauthenticate without a method or without a connection says so', async (t) => {
  const client = clientFor(t, brokerFor(t).url, { protocol: '5' })
  await client.waitFor('online', { timeout: LIMIT })
  await assert.rejects(client.reauthenticate(), error('NOT_SUPPORTED'))
  const { client: off } = await asked(t, () => null)
  await assert.rejects(off.reauthenticate(), error('NOT_CONNECTED'))
})

for (const [what, answer, text] of [
  ['throws', () => { throw new Error('no token') }, 'no token'],
  ['throws text', () => { throw 'no token' }, 'no token'],
  ['rejects', async () => { throw new TypeError('no token') }, 'no token'],
  ['throws what cannot be shown', () => { throw { get message() { throw this }, get stack() { throw this } } }, 'with something that cannot be shown'],
  ['answers a number', () => 5, 'authentication data must be bytes or text, not 5'],
  ['answers strange words', () => ({ data: 'x', words: 'y' }), 'unknown option "words"; it must be data or reasonString or userProperties'],
  ['answers too much', () => Buffer.alloc(65_536), 'authentication data must be bytes of at most 65535 bytes, not 65536 bytes'],
]) {
  test(`an authenticator that ${what} refuses, and another attempt follows`, async (t) => {
    let calls = 0
    const { peer, client } = await asked(t, () => (calls++ === 0 ? answer() : 'second'))
    const { code, message } = await failure(client)
    assert.deepEqual([code, message], ['ERR_MQTT_REFUSED', `the authenticator refused: ${text}`])
    assert.equal(data(await peer.online({ authenticationMethod: 'SCRAM' })), 'second')
    await client.waitFor('online', { timeout: LIMIT })
  })
}

test('an authenticator whose promise never ends is late after hookTimeout, and does not hold up close', async (t) => {
  const { client, steps } = await asked(t, () => new Promise(() => {}), { hookTimeout: 30 })
  assert.equal((await failure(client)).code, 'ERR_MQTT_TIMED_OUT')
  await eventually(() => steps.length > 1)
  await client.close()
  const { client: other, steps: begun } = await asked(t, () => new Promise(() => {}), { hookTimeout: '1h' })
  await eventually(() => begun.length === 1)
  await other.close()
})

test('authenticationData alone is enough for a method of one step', async (t) => {
  const peer = await peerFor(t)
  clientFor(t, peer.url, { ...METHOD, authenticationData: Buffer.from('token') })
  assert.equal(data(await peer.expect('CONNECT')), 'token')
})
