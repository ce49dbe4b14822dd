// Waiting: everything that waits takes an AbortSignal and leaves no listener on it, and several wait at once.
import assert from 'node:assert/strict'
import { getEventListeners, on, once } from 'node:events'
import { test } from 'node:test'

import { Client, clients } from '../index.mjs'
import { brokerFor, clientFor, CLEAN, error, eventually, gate, LIMIT, online, PACKAGE, program } from './common.mjs'
import { membersOf } from './verbs.mjs'

/** What waits: `begin` waits with a signal for what does not come; `instant` marks what answers at once whatever happens. */
const WAITS = {
  waitFor: { begin: ({ client, signal }) => client.waitFor('offline', { signal }) },
  ping: { begin: ({ client, signal }) => client.ping({ signal }), swallow: 'PINGREQ' },
  drain: { begin: ({ client, signal }) => client.drain({ signal }), full: true },
  flush: { begin: ({ client, signal }) => (client.publish('a'), client.flush({ signal })), swallow: 'PUBLISH' },
  subscribe: { begin: ({ client, signal }) => client.subscribe('a', { signal }, () => {}), swallow: 'SUBSCRIBE' },
  request: { begin: ({ client, signal }) => client.request('nobody', '', { signal }) },
  serve: { begin: ({ client, signal }) => client.serve('a', { signal }, () => {}), swallow: 'SUBSCRIBE' },
  unsubscribe: { begin: ({ client, signal }) => client.unsubscribe('a', { signal }), swallow: 'UNSUBSCRIBE' },
  close: { begin: ({ client, signal }) => (client.publish('a'), client.close({ signal })), swallow: 'PUBLISH' },
  cancel: { begin: ({ client, receipt, signal }) => client.cancel(receipt, { signal }), instant: true },
  explain: { begin: ({ client, receipt, signal }) => client.explain(receipt, { signal }), instant: true },
  messages: { begin: ({ client, signal }) => client.messages({ signal }).next() },
  subscription: { begin: ({ client, signal }) => client.subscription('a', { signal }).next() },
  reauthenticate: { begin: ({ client, signal }) => client.reauthenticate({ signal }).catch(withoutMethod), instant: true },
  'receipt.wait': { begin: ({ receipt, signal }) => receipt.wait({ signal }), swallow: 'PUBLISH' },
  'broker.waitReceived': { begin: ({ broker, signal }) => broker.waitReceived(1_000, { signal, timeout: LIMIT }) },
}

/** The clients here have no authentication method, and are told so at once. */
function withoutMethod(error) {
  if (error.code !== 'ERR_MQTT_NOT_SUPPORTED') throw error
}

/** A client on which the waits wait. */
async function waiting(t, { swallow, full }) {
  const { broker, client } = await online(t, { maxQueuedMessages: 2 })
  if (swallow !== undefined) broker.swallow(swallow, 10)
  if (full) {
    broker.swallow('PUBLISH', 10)
    assert.throws(() => client.publishMany([['a'], ['a'], ['a']]), error('QUEUE_FULL'))
  }
  const receipt = swallow === 'PUBLISH' ? client.publish('r') : null
  return { broker, client, receipt: receipt ?? (full ? null : client.publish('r', '', { qos: 0 })) }
}

for (const [name, { begin, instant, ...needs }] of Object.entries(WAITS)) {
  test(`${name}: a signal that is aborted already ends the wait before it begins`, async (t) => {
    const place = await waiting(t, needs)
    const signal = AbortSignal.abort(new Error('before'))
    await assert.rejects(async () => begin({ ...place, signal }), /before/)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.equal(place.client.status, 'online')
  })

  test(`${name}: a signal that is aborted later ends the wait, and keeps no listener`, async (t) => {
    const place = await waiting(t, needs)
    const controller = new AbortController()
    const { signal } = controller
    const wait = Promise.resolve(begin({ ...place, signal }))
    setImmediate(() => controller.abort(new Error('later')))
    // What is answered at once may be so sooner.
    if (instant) await wait.catch((reason) => assert.equal(reason.message, 'later'))
    else await assert.rejects(wait, /later/)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
}

test('every verb that takes limits is in this table', () => {
  const instant = ['status', 'reconnect', 'stats', 'unref', 'ref', 'hasRef', 'publish', 'publishMany', 'writable']
  const listeners = ['on', 'off', 'addListener', 'removeListener', 'prependListener', 'removeAllListeners']
  const rest = membersOf(Client).filter((name) => typeof name === 'string' && ![...instant, ...listeners].includes(name))
  assert.deepEqual(rest.filter((name) => !(name in WAITS)), [])
})

test('a wait that came to its end keeps no listener either', async (t) => {
  const { client } = await online(t)
  const { signal } = new AbortController()
  await client.publish('a').wait({ signal })
  await client.waitFor('online', { signal })
  await client.subscribe('a', { signal })
  await client.ping({ signal, timeout: LIMIT })
  const messages = client.messages({ signal })
  client.publish('a')
  await messages.next()
  await messages.return()
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('one signal ends a hundred waits, and Node warns of nothing', async () => {
  const source = `
    import { connect } from '${PACKAGE}'
    const client = connect('mqtt://127.0.0.1:1')
    const controller = new AbortController()
    const waits = Array.from({ length: 100 }, () => client.waitFor('online', { signal: controller.signal }))
    const iterators = Array.from({ length: 20 }, () => client.messages({ signal: controller.signal }).next())
    controller.abort(new Error('all'))
    const told = await Promise.allSettled([...waits, ...iterators])
    if (!told.every(({ reason }) => reason?.message === 'all')) console.log(told)
    await client.close({ timeout: 0 })`
  assert.deepEqual(await program(source), CLEAN)
})

test('what is no signal is refused with a sentence', async (t) => {
  const { client } = await online(t)
  for (const signal of [{}, 5, 'x', { throwIfAborted() {} }]) {
    await assert.rejects(client.waitFor('online', { signal }), error('INVALID_ARGUMENT', /^signal must be an AbortSignal, not /))
  }
})

test('close with a signal goes on closing when the wait is given up', async (t) => {
  const { client } = await online(t)
  const closed = once(client, 'closed')
  await assert.rejects(client.close({ signal: AbortSignal.abort(new Error('at once')) }), /at once/)
  assert.equal(client.status, 'online', 'a signal that is aborted already closes nothing')
  const controller = new AbortController()
  const close = client.close({ signal: controller.signal })
  controller.abort(new Error('later'))
  await assert.rejects(close, /later/)
  await closed
})

test('iterators of filters each get every message of theirs, whoever else gets it', async (t) => {
  const { client } = await online(t, { protocol: '5' })
  const handled = []
  await client.subscribe('doors/front', (message) => handled.push(message.topic))
  const [all, front, again] = [client.subscription('doors/#', { qos: 2 }), client.subscription(['doors/front', 'gates/+']), client.subscription('doors/#')]
  for (const topic of ['doors/back', 'doors/front', 'gates/left']) client.publish(topic, topic)
  const topics = async (messages, count) => {
    const seen = []
    while (seen.length < count) seen.push((await messages.next()).value.topic)
    return seen
  }
  assert.deepEqual(await topics(all, 2), ['doors/back', 'doors/front'])
  assert.deepEqual(await topics(again, 2), ['doors/back', 'doors/front'])
  assert.deepEqual(await topics(front, 2), ['doors/front', 'gates/left'])
  await eventually(() => handled.length === 1)
})

test('an iterator of filters acknowledges a message when the next one is asked for, and with it every other taker', async (t) => {
  const { client } = await online(t, { protocol: '5', receiveMaximum: 1 })
  const [one, other] = [client.subscription('a'), client.subscription('a')]
  await Promise.all([client.publish('a', '0'), client.publish('a', '1')])
  const received = async () => (await client.ping({ timeout: LIMIT }), client.stats().messagesIn[1])
  await one.next()
  await other.next()
  assert.equal(await received(), 1)
  const next = one.next()
  assert.equal(await received(), 1)
  await other.return()
  assert.equal((await next).value.payload.toString(), '1')
})

test('the end of an iterator of filters takes back what nobody else takes', async (t) => {
  const { client } = await online(t)
  const handled = []
  await client.subscribe('shared', (message) => handled.push(message.topic))
  await client.subscription(['own', 'shared']).return()
  client.publish('own')
  await client.publish('shared')
  await eventually(() => handled.length === 1)
  assert.deepEqual(client.stats().messagesIn, [0, 1, 0])
})

test('with a session that is kept, the filters of an ended iterator stay declared', async (t) => {
  const broker = brokerFor(t)
  const kept = { clientId: 'kept', cleanStart: false, sessionExpiry: '1h', protocol: '5' }
  const client = clientFor(t, broker.url, kept)
  const messages = client.subscription('a')
  client.publish('a', '0')
  assert.equal((await messages.next()).value.payload.toString(), '0')
  await messages.return()
  client.publish('a', '1')
  await client.close({ timeout: LIMIT })
  const later = clientFor(t, broker.url, kept)
  const declared = later.subscription('a')
  // However long the program takes for it: the client begins when this turn is over.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  const { value } = await declared.next()
  assert.equal(value.payload.toString(), '1')
})

test('an iterator whose filter is refused rejects, and harms nobody', async (t) => {
  const broker = brokerFor(t, { deny: 'secret', protocol: '5' })
  const client = clientFor(t, broker.url)
  const messages = client.subscription('secret')
  await assert.rejects(messages.next(), error('REFUSED'))
  assert.deepEqual(await messages.next(), { done: true, value: undefined })
  client.subscription('secret')
  assert.throws(() => client.subscription('a/#/b'), error('INVALID_ARGUMENT', /topic filter/))
  assert.throws(() => client.subscription('a', { qos: 3 }), error('INVALID_ARGUMENT', /qos/))
  assert.throws(() => client.messages({ qos: 1 }), error('UNKNOWN_OPTION'))
  assert.throws(() => client.subscription('a', 5), error('INVALID_ARGUMENT', /options/))
  assert.equal((await client.publish('a')).status, 'acknowledged')
})

test('iterators of filters work from before the connection, across a lost one, until close', async (t) => {
  const broker = brokerFor(t)
  broker.stop()
  const client = clientFor(t, broker.url)
  const messages = client.subscription('a')
  client.publish('a', '0')
  broker.start()
  assert.equal((await messages.next()).value.payload.toString(), '0')
  broker.stop({ forget: true })
  broker.start()
  await eventually(() => client.stats().reconnects === 1)
  client.publish('a', '1')
  assert.equal((await messages.next()).value.payload.toString(), '1')
  const last = messages.next()
  await client.close()
  assert.deepEqual(await last, { done: true, value: undefined })
})

test('await using and for await end an iterator alike', async (t) => {
  const { client } = await online(t)
  const messages = client.subscription('a')
  const waits = messages.next()
  await messages[Symbol.asyncDispose]()
  assert.equal((await waits).done, true)
})

test('events.once and events.on of Node work on a client', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url)
  const controller = new AbortController()
  const statuses = on(client, 'status', { signal: controller.signal })
  assert.equal((await once(client, 'online'))[0].kind, 'online')
  assert.deepEqual((await statuses.next()).value, ['online'])
  controller.abort()
  await assert.rejects(statuses.next(), { name: 'AbortError' })
  await client.publish('a')
})

test('status and ping events of all clients come in one place, with the client', async (t) => {
  const broker = brokerFor(t)
  const events = []
  const [status, ping] = [(value, client) => events.push([client, value]), (value, client) => events.push([client, typeof value])]
  clients.on('status', status).on('ping', ping)
  t.after(() => clients.off('status', status).off('ping', ping))
  const failing = gate()
  clients.once('status', () => (failing.open(), Promise.reject(new Error('harms nobody'))))
  const [one, other] = [clientFor(t, broker.url), clientFor(t, broker.url)]
  await Promise.all([one.waitFor('online'), other.waitFor('online'), failing.opened])
  await one.ping()
  await other.close()
  const of = (wanted) => events.filter(([client]) => client === wanted).map(([, value]) => value)
  await eventually(() => of(one).includes('number') && of(other).includes('closed'))
  assert.deepEqual([of(one)[0], of(other)[0]], ['online', 'online'])
})

test('a wait for closed is over also when that comes in the moment it begins', async () => {
  for (let round = 0; round < 500; round++) {
    const client = new Client('mqtt://127.0.0.1:1')
    const closed = client.close()
    await client.waitFor('closed', { timeout: LIMIT })
    await closed
  }
})
