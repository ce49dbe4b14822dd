// What is taken back while others declare it, and what is given up: nothing is lost by it, and nothing is left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { brokerFor, clientFor, error, eventually, LIMIT, offline, online } from './common.mjs'

const texts = (messages) => messages.map(({ payload }) => String(payload))

/** A handler, and what it got. */
function recorder() {
  const got = []
  return { got, handler: (message) => void got.push(message) }
}

for (const again of ['the same', 'another']) {
  for (const state of ['online', 'offline']) {
    test(`${again} function declared before the answer to unsubscribe gets its messages, ${state}`, async (t) => {
      const { broker, client } = await online(t)
      const old = recorder()
      const fresh = again === 'another' ? recorder() : old
      await client.subscribe('a', old.handler)
      if (state === 'offline') {
        broker.stop()
        await client.waitFor('offline', { timeout: LIMIT })
      }
      const unsubscribed = client.unsubscribe('a')
      const subscribed = client.subscribe('a', fresh.handler)
      if (state === 'offline') broker.start()
      await Promise.all([unsubscribed, subscribed])
      await client.publish('b')
      assert.equal((await client.publish('a', 'x')).status, 'acknowledged')
      await eventually(() => fresh.got.length === 1)
      assert.deepEqual(texts(fresh.got), ['x'])
      assert.equal(client.stats().unhandled, 0)
    })
  }
}

test('what came before an unsubscribe is still handled', async (t) => {
  const { client } = await online(t)
  const { got, handler } = recorder()
  let waiting
  await client.subscribe('a', async (message) => {
    // All are here before the first is handled to its end.
    if (waiting === undefined) await (waiting = eventually(() => client.stats().messagesIn[1] === 3).then(() => client.unsubscribe('a')))
    handler(message)
  })
  for (const payload of ['1', '2', '3']) client.publish('a', payload)
  await eventually(() => got.length === 3)
  assert.deepEqual(texts(got), ['1', '2', '3'])
})

test('a subscribe given up takes back what it declared, and nothing of others', async (t) => {
  const { broker, client } = await offline(t, { protocol: '5' })
  const { got, handler } = recorder()
  const abort = new AbortController()
  const { signal } = abort
  const given = [client.subscribe(['a', 'b'], { signal }, handler), client.subscribe('c', { signal })]
  const kept = client.subscribe('b', handler)
  abort.abort(new Error('given up'))
  for (const each of given) await assert.rejects(each, /given up/)
  broker.start()
  assert.deepEqual(await kept, [1])
  for (const topic of ['a', 'b', 'c']) await client.publish(topic, topic)
  await eventually(() => got.length === 1)
  assert.deepEqual(texts(got), ['b'])
  assert.equal(client.stats().unhandled, 0)
  assert.deepEqual(await client.unsubscribe(['a', 'b', 'c']), [17, 0, 17])
})

test('a subscribe that is refused at once leaves nothing behind', async (t) => {
  const { client } = await online(t)
  const { got, handler } = recorder()
  await client.subscribe('a', handler)
  await assert.rejects(client.subscribe(['a', 'b/#/c'], handler), error('INVALID_ARGUMENT'))
  await client.unsubscribe('a')
  await client.subscribe('a', handler)
  await client.publish('a', 'x')
  await eventually(() => got.length === 1)
})

test('an iterator ends when its filters are unsubscribed, after the messages that came before', async (t) => {
  const { broker, client } = await online(t)
  const iterator = client.subscription(['a', 'b'])
  const next = iterator.next()
  await client.unsubscribe('a')
  broker.publish('b', 'x')
  assert.equal(String((await next).value.payload), 'x')
  const last = iterator.next()
  await client.unsubscribe('b')
  assert.deepEqual(await last, { done: true, value: undefined })
})

test('an iterator whose filter is unsubscribed before it was asked for ends', async (t) => {
  const { broker, client } = await offline(t)
  const next = client.subscription('a').next()
  const unsubscribed = client.unsubscribe('a')
  assert.deepEqual(await next, { done: true, value: undefined })
  broker.start()
  await unsubscribed
})

test('an iterator that a signal ended has ended', async (t) => {
  const { client } = await online(t)
  const abort = new AbortController()
  const iterator = client.subscription('a', { signal: abort.signal })
  const next = iterator.next()
  abort.abort(new Error('enough'))
  await assert.rejects(next, /enough/)
  assert.deepEqual(await iterator.next(), { done: true, value: undefined })
})

test('the test broker loses what it sends, hangs, hangs up, forgets and publishes', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url, { protocol: '5', pingTimeout: 200, keepAlive: 1000 })
  const { got, handler } = recorder()
  await client.subscribe('a', handler)
  assert.equal(broker.connections, 1)
  broker.publish('a', 'x', { qos: 1 })
  broker.publish('b', Buffer.from([1]), { retain: true })
  await eventually(() => got.length === 1)
  assert.deepEqual([String(got[0].payload), got[0].qos], ['x', 1])
  broker.swallowOutgoing('PINGRESP')
  await assert.rejects(client.ping({ timeout: 50 }), error('TIMED_OUT'))
  const ended = () => client.stats().reconnects
  for (const end of ['disconnectClients', 'loseSessions']) {
    const before = ended()
    broker[end]()
    await eventually(() => ended() > before)
  }
  broker.pauseReading(true)
  const receipt = client.publish('c')
  await assert.rejects(receipt.wait({ timeout: 50 }), error('TIMED_OUT'))
  broker.pauseReading(false)
  assert.equal((await receipt).status, 'acknowledged')
  assert.throws(() => broker.publish('a/#'), error('INVALID_ARGUMENT', /^topic/))
  assert.throws(() => broker.publish('a', '', { qos: 3 }), error('INVALID_ARGUMENT', 'qos must be 0, 1 or 2, not 3'))
  assert.throws(() => broker.publish('a', 5), error('INVALID_ARGUMENT', 'payload must be text or bytes, not a number'))
  assert.throws(() => broker.publish('a', '', { retain: 1 }), error('INVALID_ARGUMENT', 'retain must be true or false, not 1'))
  assert.throws(() => broker.pauseReading(1), error('INVALID_ARGUMENT', 'paused must be true or false, not 1'))
  assert.throws(() => broker.swallowOutgoing('CONNECT'), error('INVALID_ARGUMENT', /CONNECT/))
})

test('a close that was asked for is no warning', async (t) => {
  const { client } = await online(t)
  const lines = []
  client.on('log', (line) => lines.push(line))
  await client.close()
  assert.deepEqual(lines.map(({ level }) => level), ['info'])
})
