// Hooks that are shown packets, and words on our answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { connect } from '../index.mjs'
import { brokerFor, CLEAN, clientFor, error, eventually, gate, LIMIT, PACKAGE, program } from './common.mjs'
import { peerFor } from './peer.mjs'

const WORDS = { reasonString: 'seen', userProperties: [['by', 'hook'], ['by', 'me']] }
const SAID = { reasonString: 'seen', userProperty: [['by', 'hook'], ['by', 'me']] }

/** A peer, and a client that is online with it. */
async function online(t, options) {
  const peer = await peerFor(t)
  const client = clientFor(t, peer.url, { protocol: '5', ...options })
  await peer.online()
  await client.waitFor('online', { timeout: LIMIT })
  return { peer, client }
}

test('every hook is shown its packets, with all that is in them', async (t) => {
  const broker = brokerFor(t)
  const seen = []
  const names = ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback']
  const hooks = Object.fromEntries(names.map((name) => [name, (packet) => void seen.push(packet)]))
  const client = clientFor(t, broker.url, { protocol: '5', hooks })
  await client.subscribe('a', { qos: 2 })
  const receipts = [client.publish('a', '1'), client.publish('b', '2', { qos: 2 })]
  for (const receipt of receipts) await receipt
  await client.unsubscribe(['a', 'c'])
  // Order between exchanges is the broker's business.
  assert.deepEqual(seen.map(({ packet }) => packet).sort(), ['CONNACK', 'PUBACK', 'PUBCOMP', 'PUBREC', 'SUBACK', 'UNSUBACK'])
  const of = (name) => seen.find(({ packet }) => packet === name)
  assert.deepEqual(Object.keys(of('PUBACK')).sort(), ['packet', 'packetId', 'properties', 'reason', 'reasons', 'receipt', 'sessionPresent'])
  assert.equal(of('CONNACK').packetId, null)
  assert.equal(of('CONNACK').sessionPresent, false)
  assert.ok(of('PUBACK').receipt === receipts[0] && of('PUBCOMP').receipt === receipts[1], 'the receipts of their letters')
  assert.equal(of('SUBACK').receipt, null)
  assert.deepEqual([of('SUBACK').reason, of('SUBACK').reasons], [2, [2]])
  assert.deepEqual(of('UNSUBACK').reasons, [0, 17])
})

test('what a hook returns stands on PUBREL and PUBCOMP, in a promise too', async (t) => {
  const { peer, client } = await online(t, { hooks: { pubrec: () => WORDS, pubrel: async () => ({ ...WORDS, userProperties: { by: 'me' } }) } })
  const receipt = client.publish('a', 'x', { qos: 2 })
  await peer.expect('PUBLISH')
  peer.send('PUBREC', { packetId: 1, properties: { reasonString: 'hm', userProperty: [['a', 'b']] } })
  assert.deepEqual((await peer.expect('PUBREL')).properties, SAID)
  peer.send('PUBCOMP', { packetId: 1 })
  assert.equal((await receipt).status, 'acknowledged')
  client.on('message', () => {})
  peer.publish('b', 'y', { qos: 2, packetId: 7 })
  await peer.expect('PUBREC')
  peer.send('PUBREL', { packetId: 7 })
  const { packetId, properties } = await peer.expect('PUBCOMP')
  assert.deepEqual([packetId, properties], [7, { reasonString: 'seen', userProperty: [['by', 'me']] }])
})

test('hooks that fail, or return what cannot be said, are logged and the answer goes out plain', async (t) => {
  const returned = [() => { throw new Error('broken') }, async () => { throw undefined }, () => 5, () => ({ words: 'x' }), () => ({ reasonString: 5 }), () => ({ reasonString: 'a\0' }), () => ({ userProperties: 'x' })]
  let call = 0
  const { peer, client } = await online(t, { hooks: { pubrec: () => returned[call++]() } })
  const lines = []
  client.on('log', ({ level, text }) => level === 'error' && lines.push(text))
  for (let i = 1; i <= returned.length; i++) {
    client.publish('a', 'x', { qos: 2 })
    await peer.expect('PUBLISH')
    peer.send('PUBREC', { packetId: i })
    assert.deepEqual((await peer.expect('PUBREL')).properties, {})
  }
  assert.equal(lines.length, returned.length)
  assert.ok(lines.every((text) => text.startsWith('a hook of PUBREC failed: ')), lines.join('\n'))
  assert.match(lines[2], /what a hook returns must be an object with reasonString and userProperties, or undefined, not 5/)
})

test('a hook whose promise never ends holds up its own answer for hookTimeout, and nothing else', async (t) => {
  const seen = []
  const never = (packet) => (seen.push(packet.packet), new Promise(() => {}))
  const { peer, client } = await online(t, { hookTimeout: 200, hooks: { pubrec: never, puback: never } })
  const notices = []
  client.on('notice', ({ kind }) => notices.push(kind))
  const slow = client.publish('a', 'x', { qos: 2 })
  const other = client.publish('a', 'y')
  await peer.expect('PUBLISH')
  await peer.expect('PUBLISH')
  peer.send('PUBREC', { packetId: 1 })
  peer.send('PUBACK', { packetId: 2 })
  assert.equal((await other).status, 'acknowledged')
  assert.equal(slow.outcome, null)
  assert.deepEqual((await peer.expect('PUBREL')).properties, {})
  peer.send('PUBCOMP', { packetId: 1 })
  assert.equal((await slow).status, 'acknowledged')
  await eventually(() => notices.includes('hook_late'))
  assert.deepEqual(seen, ['PUBREC', 'PUBACK'])
  await client.close()
})

test('close and the end of the process do not wait for a hook whose promise never ends', async (t) => {
  const broker = brokerFor(t)
  const source = `
    import { connect } from '${PACKAGE}'
    let asked
    const begun = new Promise((resolve) => { asked = resolve })
    const client = connect('${broker.url}', { protocol: '5', hookTimeout: '1h', hooks: { pubrec: () => (asked(), new Promise(() => {})) } })
    const receipt = client.publish('a', 'x', { qos: 2 })
    await begun
    await client.close({ timeout: 50 })
    if ((await receipt).status !== 'closed') console.log(receipt.outcome)`
  assert.deepEqual(await program(source), CLEAN)
})

test('a hook is called while a message handler waits for what it answers', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url, { protocol: '5', hooks: { pubrec: async () => WORDS } })
  const ended = gate()
  await client.subscribe('a', async () => ended.open(await client.publish('b', 'x', { qos: 2 })))
  await client.publish('a')
  assert.equal((await ended.opened).status, 'acknowledged')
})

test('inside a hook everything may be called, and close takes effect after its answer', async (t) => {
  const done = gate()
  const pubrec = async () => {
    assert.equal((await client.publish('b')).status, 'acknowledged')
    await client.subscribe('c', () => {})
    await client.unsubscribe('c', { userProperties: { a: 'b' } })
    assert.ok((await client.ping()) > 0)
    await assert.rejects(client.close({ timeout: 'soon' }), error('INVALID_ARGUMENT'))
    await client.close({ timeout: LIMIT, reasonString: 'enough' })
    assert.equal(client.status, 'online')
    done.open()
    return WORDS
  }
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url, { protocol: '5', hooks: { pubrec } })
  const closed = new Promise((resolve) => client.once('closed', resolve))
  const receipt = client.publish('a', 'x', { qos: 2 })
  await done.opened
  await closed
  assert.equal((await receipt).status, 'acknowledged')
})

test('what is no hook is refused with what is', () => {
  const refused = (options, code, text) => assert.throws(() => connect('mqtt://127.0.0.1:1', options), error(code, text))
  refused({ hooks: { pubrek: () => {} } }, 'INVALID_ARGUMENT', 'hook must be one of connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth, not "pubrek"')
  refused({ hooks: { pubrec: 5 } }, 'INVALID_ARGUMENT', 'hook pubrec must be a function, not 5')
  refused({ hooks: [] }, 'INVALID_ARGUMENT', /^hooks must be an object, not a list/)
  refused({ authenticator: 'x' }, 'INVALID_ARGUMENT', 'authenticator must be a function, not "x"')
  refused({ authenticator: () => {} }, 'INVALID_ARGUMENT', 'authenticationMethod must be given where there is an authenticator')
})

test('DISCONNECT is shown, and its properties are in the events, as those of a CONNACK that refuses', async (t) => {
  const seen = []
  const { peer, client } = await online(t, { hooks: { disconnect: (packet) => void seen.push(packet) } })
  const offline = new Promise((resolve) => client.once('offline', resolve))
  const properties = { reasonString: 'going down', userProperty: [['a', 'b']] }
  peer.send('DISCONNECT', { reason: 0x8b, properties })
  assert.deepEqual((await offline).properties, properties)
  await eventually(() => seen.length === 1)
  assert.deepEqual([seen[0].reason, seen[0].properties], [0x8b, properties])
  const failed = new Promise((resolve) => client.on('connection', (event) => event.kind === 'attempt_failed' && resolve(event)))
  await peer.expect('CONNECT')
  const moved = { ...properties, serverReference: 'elsewhere' }
  peer.send('CONNACK', { reason: 0x87, properties: moved })
  assert.deepEqual((await failed).properties, moved)
})

test('words stand on acknowledgements, UNSUBSCRIBE and DISCONNECT', async (t) => {
  const { peer, client } = await online(t, { manualAck: true })
  client.on('message', (topic, payload, message) => {
    assert.throws(() => message.ack({ reason: 256 }), error('INVALID_ARGUMENT', 'reason must be a whole number from 0 to 255, not 256'))
    assert.throws(() => message.ack({ reason: 0x8e }), error('INVALID_ARGUMENT', 'reason must be one of 0, 128, 131, 135, 144, 145, 151, 153 (MQTT 5, 3.4.2.1), not 142'))
    assert.throws(() => message.ack({ words: 'x' }), error('UNKNOWN_OPTION'))
    assert.throws(() => message.ack({ reasonString: 'a\0' }), error('INVALID_ARGUMENT'))
    message.ack({ reason: 0x99, ...WORDS })
    message.ack()
  })
  peer.publish('a', 'x', { qos: 1, packetId: 3 })
  const puback = await peer.expect('PUBACK')
  assert.deepEqual([puback.reason, puback.properties], [0x99, SAID])
  const unsubscribed = client.unsubscribe('a', { userProperties: [['by', 'me']], timeout: LIMIT })
  const unsubscribe = await peer.expect('UNSUBSCRIBE')
  assert.deepEqual(unsubscribe.properties, { userProperty: [['by', 'me']] })
  peer.send('UNSUBACK', { packetId: unsubscribe.packetId })
  await unsubscribed
  await assert.rejects(client.close({ endSession: true, sessionExpiry: '7s' }), error('INVALID_ARGUMENT', /^sessionExpiry must be left out or 0 where endSession is true/))
  await assert.rejects(client.close({ withwill: true }), error('UNKNOWN_OPTION', /withWill/))
  const closed = client.close({ withWill: true, endSession: false, sessionExpiry: '7s', ...WORDS })
  const disconnect = await peer.expect('DISCONNECT')
  assert.deepEqual([disconnect.reason, disconnect.properties], [4, { sessionExpiryInterval: 7, ...SAID }])
  await closed
})
