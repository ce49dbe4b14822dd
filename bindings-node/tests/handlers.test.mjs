// Inside handlers: everything may be called, nothing deadlocks, close waits for the handler.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { error, eventually, first, gate, LIMIT, online } from './common.mjs'

/** Runs `inside` as the handler of one message; with what it returned or threw. */
async function inHandler(client, inside) {
  const ended = gate()
  const handler = async (message) => {
    await client.unsubscribe('trigger')
    await inside(message).then((value) => ended.open({ value }), (thrown) => ended.open({ thrown }))
  }
  await client.subscribe('trigger', handler)
  await client.publish('trigger')
  const { value, thrown } = await ended.opened
  if (thrown !== undefined) throw thrown
  return value
}

/** The same while reading has stopped: the inbox is full as long as the handler runs. */
async function inFullHandler(client, inside) {
  const ended = gate()
  const handler = (message) => inside(message).then((value) => ended.open({ value }), (thrown) => ended.open({ thrown }))
  await client.subscribe('trigger', handler)
  await client.publish('trigger')
  const { value, thrown } = await ended.opened
  if (thrown !== undefined) throw thrown
  return value
}

const deadlock = error('WOULD_DEADLOCK', /inside a handler while the inbox is full/)

test('every call works inside a handler', async (t) => {
  const { client } = await online(t)
  await inHandler(client, async () => {
    assert.deepEqual(await client.subscribe('a', () => {}), [1])
    assert.equal((await client.publish('b', 'x', { qos: 2 })).status, 'acknowledged')
    assert.equal((await client.publishMany([['b', 'x']])[0]).status, 'acknowledged')
    await client.unsubscribe('a')
    assert.ok((await client.ping()) > 0)
    await client.drain()
    await client.waitFor('online')
    const receipt = client.publish('b')
    assert.equal(typeof (await client.explain(receipt)), 'string')
    assert.equal(typeof (await client.cancel(receipt)), 'boolean')
    assert.equal(client.stats().status, 'online')
    assert.equal(client.writable, true)
    client.on('message', () => {})
    client.removeAllListeners('message')
    await client.messages().return()
    client.reconnect()
    await client.waitFor('online', { timeout: LIMIT })
    await client.flush({ timeout: LIMIT })
  })
})

test('a wait behind a close that the handler put off fails at once', async (t) => {
  for (const status of ['closed', 'offline']) {
    const { client } = await online(t)
    await inHandler(client, async () => {
      await client.close()
      await assert.rejects(client.waitFor(status), error('WOULD_DEADLOCK', /the close that takes effect when the handler returns/))
    })
    await client.waitFor('closed', { timeout: LIMIT })
  }
})

test('with a full inbox, what would wait for the broker fails at once, and all else works', async (t) => {
  const { client } = await online(t, { maxInboxMessages: 1 })
  await inFullHandler(client, async () => {
    const receipt = client.publish('b', 'x', { ttl: 60_000 })
    await assert.rejects(receipt.wait(), deadlock)
    await assert.rejects(Promise.resolve(receipt), deadlock)
    await assert.rejects(client.subscribe('c'), deadlock)
    await assert.rejects(client.unsubscribe('nothing'), deadlock)
    await assert.rejects(client.ping(), deadlock)
    await assert.rejects(client.flush(), deadlock)
    await assert.rejects(client.request('b', '?', { responseTopic: 'c' }), deadlock)
    await assert.rejects(client.waitFor('offline'), deadlock)
    await assert.rejects(client.messages().next(), deadlock)
    await client.drain()
    await client.waitFor('online')
  })
  await eventually(() => client.stats().outcomes.acknowledged >= 2)
})

test('with a full inbox and a full post office at once, nothing hangs', async (t) => {
  const { broker, client } = await online(t, { maxInboxMessages: 1, maxQueuedMessages: 1 })
  const receipt = await inFullHandler(client, async () => {
    await eventually(() => client.writable)
    broker.swallow('PUBLISH')
    const posted = client.publish('b', '0')
    assert.throws(() => client.publish('b', '1'), error('QUEUE_FULL'))
    assert.throws(() => client.publishMany([['b', '1']]), error('QUEUE_FULL'))
    await assert.rejects(client.drain(), deadlock)
    await assert.rejects(posted.wait(), deadlock)
    await client.cancel(posted)
    return [posted]
  })
  assert.equal((await receipt[0]).status, 'cancelled')
})

test('a wait of a handler that has ended is no deadlock', async (t) => {
  const { client } = await online(t, { maxInboxMessages: 1 })
  const outcomes = []
  let later
  await client.subscribe('trigger', async () => {
    const receipt = client.publish('b')
    later ??= new Promise((resolve) => setImmediate(resolve)).then(() => receipt).then((outcome) => outcomes.push(outcome.status))
  })
  await client.publish('trigger')
  await eventually(() => outcomes.length === 1)
  assert.deepEqual(outcomes, ['acknowledged'])
  await later
})

test('what a handler waits for on another client is no deadlock', async (t) => {
  const { broker, client } = await online(t, { maxInboxMessages: 1 })
  const { client: other } = await online(t)
  const outcome = await inFullHandler(client, async () => other.publish('b'))
  assert.equal(outcome.status, 'acknowledged')
  assert.equal(broker.received.length, 1)
})

test('close in a handler takes effect when it returns, after the acknowledgement', async (t) => {
  const { broker, client } = await online(t, { clientId: 'door', cleanStart: false, sessionExpiry: '1h' })
  const closed = first(client, 'closed')
  let receipt
  await client.subscribe('trigger', async () => {
    await client.close({ timeout: LIMIT })
    assert.equal(client.status, 'online')
    receipt = client.publish('b', 'still taken')
  })
  const trigger = client.publish('trigger')
  await closed
  assert.equal(trigger.outcome.status, 'acknowledged')
  assert.equal(receipt.outcome.status, 'acknowledged')
  assert.deepEqual(broker.received.map(({ topic }) => topic), ['trigger', 'b'])
})

test('close leaves what no handler has begun with, and does not wait for a handler that hangs', async (t) => {
  const { client } = await online(t)
  const begun = gate()
  let calls = 0
  await client.subscribe('a', () => (calls++, begun.open(), new Promise(() => {})))
  for (let i = 0; i < 3; i++) await client.publish('a')
  await begun.opened
  await client.close({ timeout: LIMIT })
  assert.equal(calls, 1)
})
