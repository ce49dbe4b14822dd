// Bad input: each mistake is an error at once, with a sentence that names what was given and what is allowed.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'

import { connect, setRuntimeThreads } from '../index.mjs'
import { Broker } from '../testing.mjs'
import { brokerFor, clientFor, error, online } from './common.mjs'

const URL_OF_NOBODY = 'mqtt://127.0.0.1:1'

/** Options of a client, and what is said of them. */
const options = [
  [{ keepAlive: 60 }, 'INVALID_ARGUMENT', /^keepAlive must be a whole number of seconds from 0s to 65535s, not 60ms; did you mean 60_000\?$/],
  [{ keepAlive: '90' }, 'INVALID_ARGUMENT', /^keepAlive must be .*"250ms", "5s", "2m" or "1h"$/],
  [{ keepAlive: true }, 'INVALID_ARGUMENT', /^keepAlive must be .*, not true$/],
  [{ keepAlive: null }, 'INVALID_ARGUMENT', /^keepAlive must be .*, not null$/],
  [{ keepAlvie: 60_000 }, 'UNKNOWN_OPTION', /^unknown client option "keepAlvie"; did you mean keepAlive\?$/],
  [{ keep_alive: 60_000 }, 'UNKNOWN_OPTION', /did you mean keepAlive\?$/],
  [{ propertiesOn311: 'maybe' }, 'INVALID_ARGUMENT', /^propertiesOn311 must be .*reject.*drop.*, not "maybe"$/],
  [{ maxQueuedMessages: 0 }, 'INVALID_ARGUMENT', /^maxQueuedMessages must be a whole number from 1 to 10000000, not 0$/],
  [{ maxQueuedMessages: 1.5 }, 'INVALID_ARGUMENT', /not 1\.5$/],
  [{ cleanStart: 'yes' }, 'INVALID_ARGUMENT', /^cleanStart must be true or false, not "yes"$/],
  [{ cleanStart: false }, 'INVALID_ARGUMENT', /clientId/],
  [{ clientId: 7 }, 'INVALID_ARGUMENT', /^clientId must be text .*, not 7$/],
  [{ clientId: () => {} }, 'INVALID_ARGUMENT', /^clientId must be text .*, not a function$/],
  [{ clientId: 1n }, 'INVALID_ARGUMENT', /not a bigint$/],
  [{ clientId: Symbol('s') }, 'INVALID_ARGUMENT', /not a symbol$/],
  [{ clientId: ['a'] }, 'INVALID_ARGUMENT', /not a list$/],
  [{ clientId: 'a\0b' }, 'INVALID_ARGUMENT', /^clientId must not contain U\+0000/],
  [{ userProperties: ['a', 'b'] }, 'INVALID_ARGUMENT', /^userProperties must be pairs of texts, not a list$/],
  [{ userProperties: { a: 1 } }, 'INVALID_ARGUMENT', /^userProperties must be pairs of texts, not an object$/],
  [{ will: 'gone' }, 'INVALID_ARGUMENT', 'will must be an object or null, not "gone"'],
  [{ will: { topic: 'a/+' } }, 'INVALID_ARGUMENT', /^willTopic .*wildcard/],
  [{ will: { topc: 'a' } }, 'UNKNOWN_OPTION', /willTopc.*did you mean willTopic/],
  ['options', 'INVALID_ARGUMENT', 'options must be an object, not "options"'],
  [null, 'INVALID_ARGUMENT', 'options must be an object, not null'],
  [[], 'INVALID_ARGUMENT', /^options must be an object/],
]

test('options of a client', () => {
  for (const [given, code, text] of options) {
    assert.throws(() => connect(URL_OF_NOBODY, given), error(code, text), inspect(given))
  }
})

test('addresses', () => {
  for (const [given, text] of [[7, 'url must be text, not 7'], [undefined, 'url must be text, not undefined'], ['ftp://a', /mqtt:\/\//], ['', /url/], [[], /url/]]) {
    assert.throws(() => connect(given), error('INVALID_ARGUMENT', text), inspect(given))
  }
})

/** A topic, a payload and options, and what is said of them. */
const letters = [
  [['a/+', 'x'], /^topic must not contain the wildcard '\+' or '#', but "a\/\+" does$/],
  [['', 'x'], /^topic must have at least one character/],
  [['a\0b', 'x'], 'topic must not contain U+0000, but "a\\0b" does'],
  [['x'.repeat(65_536), ''], /^topic must have at most 65,535 bytes/],
  [[undefined, 'x'], 'topic must be text, not undefined'],
  [[['a'], 'x'], 'topic must be text, not a list'],
  [['a', null], 'payload must be text or bytes, not null'],
  [['a', 5], 'payload must be text or bytes, not a number'],
  [['a', { x: 1 }], 'payload must be text or bytes, not an object'],
  [['a', new Float64Array(1)], 'payload must be text or bytes, not an object'],
  [['a', 'x', { qos: 3 }], 'qos must be 0, 1 or 2, not 3'],
  [['a', 'x', { qos: '1' }], 'qos must be 0, 1 or 2, not "1"'],
  [['a', 'x', { qos: NaN }], 'qos must be 0, 1 or 2, not NaN'],
  [['a', 'x', { ttl: 0 }], /^ttl must be a duration from 1ms to 4294967295s, not 0s; for no time to live use null$/],
  [['a', 'x', { ttl: -1 }], /^ttl must be .*, not -1ms/],
  [['a', 'x', { ttl: Infinity }], /^ttl must be /],
  [['a', 'x', { ttl: 'soon' }], /^ttl must be .*not "soon"/],
  [['a', 'x', { messageExpiry: 30 }], /did you mean 30_000\?$/],
  [['a', 'x', { priority: 'urgent' }], /high.*normal.*low.*not "urgent"$/],
  [['a', 'x', { correlationData: 5 }], /^correlationData must be bytes or text/],
  [['a', 'x', 5], 'options must be an object, not 5'],
  [['a', Buffer.alloc(20_000_000)], /payload is too large.*maxQueuedBytes/],
  [['a', Buffer.alloc(268_435_456)], /^payload must be at most 268\d{6} bytes .*, not 268435456 bytes$/],
]

test('letters', (t) => {
  const client = clientFor(t, URL_OF_NOBODY)
  for (const [given, text] of letters) {
    assert.throws(() => client.publish(...given), error('INVALID_ARGUMENT', text), inspect(given, { maxStringLength: 80 }))
  }
  assert.throws(() => client.publish('a', 'x', { prioritty: 'high' }), error('UNKNOWN_OPTION', 'unknown publish option "prioritty"; did you mean priority?'))
  for (const given of [5, 'text', null, [5], ['ab']]) {
    assert.throws(() => client.publishMany(given), error('INVALID_ARGUMENT', /^letters must be a list of \[topic, payload\], not /))
  }
  assert.throws(() => client.publishMany([['a', 5]]), error('INVALID_ARGUMENT', 'payload must be text or bytes, not a number'))
  assert.deepEqual([client.stats().queued, client.stats().queuedBytes], [0, 0])
})

test('subscriptions', async (t) => {
  const { client } = await online(t)
  const refused = [
    [['a/#/b'], /#/],
    [[''], /at least one character/],
    [[5], 'topic filter must be text, not 5'],
    [[[]], /at least 1 topic filter/],
    [[{}], /at least 1 topic filter/],
    [['a', { qos: 3 }], 'qos must be 0, 1 or 2, not 3'],
    [['a', { retainHandling: 3 }], /^retainHandling must be 0, 1 or 2, not 3$/],
    [['a', 5], 'options must be an object, not 5'],
    [['a', {}, 'handler'], 'handler must be a function, not "handler"'],
    [['a', { signal: 'now' }], 'signal must be an AbortSignal, not "now"'],
  ]
  for (const [given, text] of refused) await assert.rejects(client.subscribe(...given), error('INVALID_ARGUMENT', text), inspect(given))
  await assert.rejects(client.subscribe('a', { noLokal: true }), error('UNKNOWN_OPTION', /did you mean noLocal\?$/))
  await assert.rejects(client.unsubscribe('a/#/b'), error('INVALID_ARGUMENT', /#/))
  await assert.rejects(client.unsubscribe([]), error('INVALID_ARGUMENT', /at least 1/))
})

test('limits of waits, statuses, and how to close', async (t) => {
  const client = clientFor(t, URL_OF_NOBODY)
  const late = { timeout: -1 }
  const text = 'timeout must be a duration from 0s to 8760h, not -1ms; for no limit use null'
  const receipt = client.publish('a')
  const calls = [client.waitFor('online', late), client.ping(late), client.flush(late), client.messages(late).next(), receipt.wait(late), client.reauthenticate(late)]
  for (const call of calls) await assert.rejects(call, error('INVALID_ARGUMENT', text))
  await assert.rejects(client.waitFor('online', 5000), error('INVALID_ARGUMENT', 'options must be an object, not 5000'))
  await assert.rejects(client.ping({ timout: 1 }), error('UNKNOWN_OPTION', 'unknown option "timout"; it must be timeout or signal'))
  await assert.rejects(client.close(late), error('INVALID_ARGUMENT', "timeout must be a duration from 0s to 8760h, not -1ms; for the client's close timeout use null"))
  await assert.rejects(client.close({ force: true }), error('UNKNOWN_OPTION', /"force"/))
  await assert.rejects(receipt.wait({ signal: 5 }), error('INVALID_ARGUMENT', 'signal must be an AbortSignal, not 5'))
  await assert.rejects(client.waitFor('connected'), error('INVALID_ARGUMENT', 'status must be online, offline or closed, not "connected"'))
  await assert.rejects(client.close({ endSession: 'yes' }), error('INVALID_ARGUMENT', /^endSession must be true or false, not "yes"/))
  assert.equal(client.status, 'offline')
})

test('the process and the test broker', async (t) => {
  assert.throws(() => setRuntimeThreads(1.5), error('INVALID_ARGUMENT', 'count must be a whole number, not 1.5'))
  assert.throws(() => setRuntimeThreads(0), error('INVALID_ARGUMENT', /0/))
  assert.throws(() => new Broker({ receiveMax: 1 }), error('UNKNOWN_OPTION', /receive_?[mM]ax/))
  assert.throws(() => new Broker({ receiveMaximum: 0 }), error('INVALID_ARGUMENT', /1 to 65535/))
  assert.throws(() => new Broker(5), error('INVALID_ARGUMENT', 'options must be an object, not 5'))
  const broker = brokerFor(t)
  assert.throws(() => broker.stop(true), error('INVALID_ARGUMENT', 'options must be an object, not true'))
  assert.throws(() => broker.swallow('NOTHING'), error('INVALID_ARGUMENT', /NOTHING/))
  assert.throws(() => broker.swallow('PUBLISH', -1), error('INVALID_ARGUMENT', /^count must be/))
  await assert.rejects(broker.waitReceived(1, { timeout: 1 }), error('TIMED_OUT', 'the broker received 0 of 1 messages in the time given'))
  await assert.rejects(broker.waitReceived(1, { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('what holds no names or is more than a pair is refused, and not lost', async (t) => {
  const client = clientFor(t, URL_OF_NOBODY)
  const pairs = (userProperties) => () => client.publish('a', '', { userProperties })
  assert.throws(pairs(new Map([['a', 'b']])), error('INVALID_ARGUMENT', 'userProperties must be pairs of texts, not an object of class Map'))
  assert.throws(pairs([['a', 'b', 'c']]), error('INVALID_ARGUMENT', 'userProperties must be pairs of texts, not a list'))
  assert.throws(pairs([['a']]), error('INVALID_ARGUMENT', 'userProperties must be pairs of texts, not a list'))
  assert.throws(() => connect(URL_OF_NOBODY, { userProperties: new Map() }), error('INVALID_ARGUMENT', /^userProperties/))
  assert.throws(() => client.publish('a', '', new Map([['qos', 2]])), error('INVALID_ARGUMENT', 'options must be an object, not an object of class Map'))
  assert.throws(() => client.publish('a', '', { ttl: {} }), error('INVALID_ARGUMENT', /^ttl must be .*, not an empty object;/))
  assert.throws(() => client.publish('a', '', { ttl: [] }), error('INVALID_ARGUMENT', /^ttl must be .*, not an empty list;/))
  for (const none of [{}, [], Object.create(null)]) client.publish('a', '', { userProperties: none })
  client.publish('a', '', { userProperties: Object.assign(Object.create(null), { a: ['b', 'c'] }) })
  for (const [own, kind] of [[null, 'null'], [5, '5'], [new Map(), 'an object of class Map'], [['qos'], 'a list']]) {
    await assert.rejects(client.subscribe({ a: own }), error('INVALID_ARGUMENT', `the options of topic filter "a" must be an object, not ${kind}`))
  }
  await assert.rejects(client.subscribe(new Map([['a', {}]])), error('INVALID_ARGUMENT', 'topic filter must be text, not an object of class Map'))
  const topic = 'responseTopic must be text or a function, not 5'
  await assert.rejects(client.serve('a', { responseTopic: 5 }, () => ''), error('INVALID_ARGUMENT', topic))
  assert.throws(() => client.publishMany([['a', 'b', 'c']]), error('INVALID_ARGUMENT', /^letters must be a list of \[topic, payload\]/))
})

test('half of a pair of surrogates is no text', async (t) => {
  const client = clientFor(t, URL_OF_NOBODY)
  const lone = 'a\ud800'
  const not = (name) => error('INVALID_ARGUMENT', new RegExp(`^${name} must be .*, not text with lone surrogates($|;)`))
  assert.throws(() => client.publish(lone), not('topic'))
  assert.throws(() => client.publish('a', lone), not('payload'))
  assert.throws(() => client.publishMany([['a', lone]]), not('payload'))
  assert.throws(() => client.publish('a', '', { contentType: lone }), not('contentType'))
  assert.throws(() => client.publish('a', '', { userProperties: { a: lone } }), error('INVALID_ARGUMENT', /^userProperties/))
  assert.throws(() => client.publish('a', '', { userProperties: { [lone]: 'a' } }), error('INVALID_ARGUMENT', /^userProperties/))
  assert.throws(() => client.publish('a', '', { userProperties: [['a', lone]] }), error('INVALID_ARGUMENT', /^userProperties/))
  await assert.rejects(client.subscribe(lone), not('topic filter'))
  await assert.rejects(client.request('a', lone), not('payload'))
  assert.throws(() => connect(URL_OF_NOBODY, { clientId: lone }), not('clientId'))
  // The character that stands for what cannot be read is one as any other, and so is a whole pair.
  client.publish('a\ufffd', '\ufffd\u{1f40e}', { contentType: '\ufffd', userProperties: { '\u{1f40e}': '\ufffd' } })
})
