// Letters: every outcome, and every verb that has to do with receipts and room.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { MqttError, Outcome, Receipt } from '../index.mjs'
import { brokerFor, clientFor, error, eventually, first, LIMIT, offline, online } from './common.mjs'

test('QoS 1 and 2 are acknowledged, QoS 0 is sent', async (t) => {
  const { broker, client } = await online(t)
  const receipts = [0, 1, 2].map((qos) => client.publish('a', String(qos), { qos }))
  const outcomes = await Promise.all(receipts)
  assert.deepEqual(outcomes.map(({ status }) => status), ['sent', 'acknowledged', 'acknowledged'])
  assert.deepEqual(outcomes.map(({ ok, delivered, maybeDelivered }) => [ok, delivered, maybeDelivered]), [
    [true, false, true],
    [true, true, false],
    [true, true, false],
  ])
  assert.ok(outcomes[0] instanceof Outcome && receipts[0] instanceof Receipt)
  assert.equal(outcomes[1].throwForStatus(), outcomes[1])
  assert.equal(String(outcomes[1]), 'acknowledged')
  assert.deepEqual(broker.received.map(({ payload }) => payload.toString()), ['0', '1', '2'])
})

test('a receipt can be awaited often, late, or within limits', async (t) => {
  const { client } = await offline(t)
  const receipt = client.publish('a', 'x', { ttl: 200 })
  assert.equal(receipt.outcome, null)
  await assert.rejects(receipt.wait({ timeout: 1 }), error('TIMED_OUT', 'it did not happen in the time given'))
  const reason = new Error('given up')
  await assert.rejects(receipt.wait({ signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const waiting = receipt.wait({ signal: controller.signal, timeout: '1h' })
  controller.abort(reason)
  await assert.rejects(waiting, reason)
  const outcome = await receipt
  assert.equal(outcome.status, 'expired')
  assert.equal(await receipt, outcome)
  assert.equal(receipt.outcome, outcome)
  assert.equal(await receipt.wait({ timeout: 0 }), outcome)
  assert.equal(await receipt.finally(() => {}), outcome)
  assert.equal(await receipt.catch(() => 'never'), outcome)
})

test('what is not delivered can be raised, in the words of the core', async (t) => {
  const { client } = await offline(t)
  const outcome = await client.publish('a', 'x', { ttl: 1 })
  assert.throws(() => outcome.throwForStatus(), (thrown) => {
    assert.equal(thrown.outcome, outcome)
    return error('NOT_DELIVERED', 'the letter was not delivered: expired')(thrown)
  })
})

test('a rejected letter has the reason code of the broker', async (t) => {
  const broker = brokerFor(t, { maximumQos: 1, protocol: '5' })
  const client = clientFor(t, broker.url)
  await client.waitFor('online', { timeout: LIMIT })
  const outcome = await client.publish('a', 'x', { qos: 2 })
  assert.deepEqual([outcome.status, outcome.ok, outcome.reason], ['rejected', false, 0x9b])
  assert.throws(() => outcome.throwForStatus(), (thrown) => thrown.reason === 0x9b && error('NOT_DELIVERED', /rejected/)(thrown))
})

test('overflow drops the oldest, and a replaced letter is dropped', async (t) => {
  const { client } = await offline(t, { maxQueuedMessages: 2 })
  const [oldest, replaced] = [client.publish('a', '0'), client.publish('a', '1', { replace: 'key' })]
  client.publish('a', '2', { replace: 'key' })
  assert.equal((await replaced).status, 'dropped')
  client.publish('a', '3')
  assert.equal((await oldest).status, 'dropped')
  assert.equal(client.stats().queued, 2)
})

test('cancel, explain and flush', async (t) => {
  const { broker, client } = await offline(t)
  const receipt = client.publish('a', 'x')
  assert.match(await client.explain(receipt), /connection/)
  assert.equal(await client.cancel(receipt), true)
  assert.equal((await receipt).status, 'cancelled')
  assert.equal(await client.cancel(receipt), false)
  assert.equal(await client.explain(receipt), 'settled: cancelled')
  const next = client.publish('a', 'y')
  await assert.rejects(client.flush({ timeout: 1 }), error('TIMED_OUT'))
  broker.start()
  await client.flush({ timeout: LIMIT })
  assert.equal(next.outcome.status, 'acknowledged')
})

test('a receipt of another client is refused', async (t) => {
  const { client } = await offline(t)
  const { client: other } = await offline(t)
  const receipt = other.publish('a')
  const refused = error('INVALID_ARGUMENT', 'receipt must be a receipt of this client, not "one of another"')
  await assert.rejects(client.cancel(receipt), refused)
  await assert.rejects(client.explain(7), error('INVALID_ARGUMENT', 'receipt must be a receipt of this client, not 7'))
})

test('publishMany posts in order, and says what was accepted where not all was', async (t) => {
  const { broker, client } = await offline(t, { maxQueuedMessages: 3, overflow: 'reject' })
  const letters = ['0', '1', '2', '3', '4'].map((payload) => ['a', payload])
  let receipts
  assert.throws(() => client.publishMany(letters, { qos: 1 }), (thrown) => {
    receipts = thrown.receipts
    return error('QUEUE_FULL')(thrown) && thrown.retryable
  })
  assert.equal(receipts.length, 3)
  broker.start()
  assert.deepEqual((await Promise.all(receipts)).map(({ status }) => status), Array(3).fill('acknowledged'))
  const more = client.publishMany(new Set([['a', new Uint8Array([0x35]).buffer]]))
  assert.deepEqual((await Promise.all(more)).map(({ status }) => status), ['acknowledged'])
  const received = await broker.waitReceived(4, { timeout: LIMIT })
  assert.deepEqual(received.map(({ payload }) => payload.toString()), ['0', '1', '2', '5'])
  assert.throws(() => client.publishMany([['a', 'x'], ['a/+', 'y']]), error('INVALID_ARGUMENT', /wildcard/))
  assert.equal(client.stats().queued + client.stats().inFlight, 0)
})

test('a full post office holds the sender up while online: QueueFull, writable, drain and its event', async (t) => {
  const { broker, client } = await online(t, { maxQueuedMessages: 1, protocol: '3.1.1' })
  assert.equal(client.writable, true)
  broker.swallow('PUBLISH')
  const lost = client.publish('a', '0')
  assert.throws(() => client.publish('a', '1'), error('QUEUE_FULL', /the post office is full/))
  assert.equal(client.writable, false)
  await assert.rejects(client.drain({ timeout: 1 }), error('TIMED_OUT'))
  const drained = first(client, 'drain')
  await client.cancel(lost)
  assert.equal((await lost).status, 'cancelled')
  broker.stop()
  await Promise.all([client.drain({ timeout: LIMIT }), drained])
  assert.equal(client.writable, true)
  client.publish('a', '2')
})

test('drain waits while a full post office refuses offline', async (t) => {
  const { broker, client } = await offline(t, { maxQueuedMessages: 1, overflow: 'reject' })
  client.publish('a', '0')
  assert.throws(() => client.publish('a', '1'), error('QUEUE_FULL'))
  await assert.rejects(client.drain({ timeout: 20 }), error('TIMED_OUT'))
  broker.start()
  await client.drain({ timeout: LIMIT })
  await eventually(() => client.stats().queued === 0)
  assert.equal((await client.publish('a', '2')).status, 'acknowledged')
})

test('close settles what is left, in order before it is done, and twice does nothing', async (t) => {
  const { client } = await offline(t)
  const receipt = client.publish('a')
  await Promise.all([client.close({ timeout: 1 }), client.close({ timeout: 1, endSession: true })])
  assert.equal(receipt.outcome.status, 'closed')
  assert.equal(client.status, 'closed')
  await client.close()
  const closed = error('CLOSED', 'the client is closed')
  assert.throws(() => client.publish('a'), closed)
  assert.throws(() => client.publishMany([['a', '']]), closed)
  assert.throws(() => client.reconnect(), closed)
  for (const call of ['ping', 'flush', 'drain']) await assert.rejects(client[call](), closed, call)
  await assert.rejects(client.waitFor('online'), closed)
  await assert.rejects(client.subscribe('a'), closed)
  await assert.rejects(client.unsubscribe('a'), closed)
  await client.waitFor('closed')
  assert.equal(client.writable, false)
  assert.equal(client.stats().status, 'closed')
  assert.equal(await client.explain(receipt), 'settled: closed')
  assert.equal(await client.cancel(receipt), false)
  assert.deepEqual(await client.messages().next(), { done: true, value: undefined })
})

test('questions that are open when the client closes are answered', async (t) => {
  const { client } = await offline(t)
  const asked = [client.subscribe('a'), client.waitFor('online'), client.messages().next()]
  const answers = Promise.allSettled(asked)
  await client.close({ timeout: 0 })
  const [subscribed, waited, iterated] = await answers
  assert.equal(subscribed.reason.code, 'ERR_MQTT_CLOSED')
  assert.equal(waited.reason.code, 'ERR_MQTT_CLOSED')
  assert.equal(iterated.value.done, true)
})

test('payloads of every kind and size arrive whole', async (t) => {
  const { broker, client } = await online(t)
  const large = Buffer.alloc(3_000_000, Buffer.from([...Array(251).keys()]))
  const payloads = ['', 'grün', Buffer.from([0, 1]), new Uint8Array([1, 2, 3]).subarray(1), new ArrayBuffer(2), large]
  for (const payload of payloads) assert.equal((await client.publish('a', payload)).status, 'acknowledged')
  const seen = broker.received.map(({ payload }) => payload)
  assert.deepEqual(seen.slice(0, 5), [Buffer.alloc(0), Buffer.from('grün'), Buffer.from([0, 1]), Buffer.from([2, 3]), Buffer.alloc(2)])
  assert.ok(seen[5].equals(large))
})

test('MqttError can be made of nothing else than its code', () => {
  assert.ok(new MqttError('ERR_MQTT_CLOSED', 'closed') instanceof Error)
  assert.equal(new MqttError('ERR_MQTT_CLOSED', 'closed').retryable, false)
})

test('a letter posted in the turn in which its client is made and closed is sent', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url)
  const receipt = client.publish('a')
  await client.close()
  assert.equal((await receipt).status, 'acknowledged')
})
