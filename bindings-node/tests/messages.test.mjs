// Messages: handlers, listeners, iterators, and when each acknowledges.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'

import { Message } from '../index.mjs'
import { brokerFor, clientFor, error, eventually, first, gate, LIMIT, online } from './common.mjs'

/** With a window of one, the broker sends the next message only after the one before was acknowledged. */
const WINDOW_OF_ONE = { protocol: '5', receiveMaximum: 1 }

/** Whether the broker has sent no more than so many messages, after it has answered all that was asked of it. */
async function receivedOnly(client, count) {
  await client.ping({ timeout: LIMIT })
  assert.equal(client.stats().messagesIn[1], count)
}

test('a message has all its parts', async (t) => {
  const { client } = await online(t, { protocol: '5' })
  const came = gate()
  assert.deepEqual(await client.subscribe('doors/+/state', { qos: 2 }, came.open), [2])
  const userProperties = [['a', '1'], ['a', '2']]
  const options = { qos: 1, contentType: 'text/plain', correlationData: new Uint8Array([1]).buffer, userProperties, messageExpiry: '1m' }
  client.publish('doors/front/state', 'closed', options)
  const message = await came.opened
  assert.ok(message instanceof Message)
  assert.deepEqual(message.levels, ['doors', 'front', 'state'])
  assert.deepEqual([message.topic, message.qos, message.retain, message.dup], ['doors/front/state', 1, false, false])
  assert.ok(Buffer.isBuffer(message.payload) && message.payload.equals(Buffer.from('closed')))
  assert.equal(message.payload.buffer.byteLength, 6, 'memory of its own: nobody else writes or detaches it, and nothing large is held by it')
  const { contentType, correlationData, userProperty, messageExpiryInterval } = message.properties
  assert.deepEqual([contentType, correlationData, messageExpiryInterval], ['text/plain', Buffer.from([1]), 60])
  assert.deepEqual(userProperty, userProperties)
})

test('filters come as one, as a list, or with options of their own', async (t) => {
  const { client } = await online(t)
  assert.deepEqual(await client.subscribe('a'), [1])
  assert.deepEqual(await client.subscribe(['b', 'c'], { qos: 0 }), [0, 0])
  assert.deepEqual(await client.subscribe({ d: { qos: 2 }, e: {} }, { qos: 0 }, () => {}), [2, 0])
  await client.unsubscribe(['a', 'b'])
  await client.unsubscribe('c')
})

test('several matching handlers are each called once, a function with several filters too', async (t) => {
  const { client } = await online(t, { protocol: '5' })
  const calls = []
  const both = (message) => calls.push(`both ${message.payload}`)
  await client.subscribe(['a/#', 'a/+'], both)
  await client.subscribe('a/#', { qos: 2 }, both)
  const last = gate()
  await client.subscribe('a/b', (message) => calls.push(`one ${message.payload}`) && last.open())
  client.publish('a/b', 'x')
  await last.opened
  assert.deepEqual(calls, ['both x', 'one x'])
})

test('after an unsubscribe its handler is called no more', async (t) => {
  const { client } = await online(t)
  const calls = []
  await client.subscribe(['a', 'b'], (message) => calls.push(message.topic))
  const end = gate()
  await client.subscribe('end', end.open)
  await client.publish('a')
  await client.unsubscribe('a')
  for (const topic of ['a', 'b', 'end']) await client.publish(topic)
  await end.opened
  assert.deepEqual(calls, ['a', 'b'])
})

test('handlers run one after another, and a message is acknowledged when what its handler returned has ended', async (t) => {
  const { client } = await online(t, WINDOW_OF_ONE)
  const [begun, may] = [gate(), gate()]
  const seen = []
  await client.subscribe('a', async (message) => {
    seen.push(message.payload.toString())
    begun.open()
    await may.opened
    seen.push(`${message.payload} ended`)
  })
  await Promise.all([client.publish('a', '0'), client.publish('a', '1')])
  await begun.opened
  await receivedOnly(client, 1)
  may.open()
  await eventually(() => seen.length === 4)
  assert.deepEqual(seen, ['0', '0 ended', '1', '1 ended'])
})

test('a handler that throws or rejects is logged and harms nothing', async (t) => {
  const { client } = await online(t, WINDOW_OF_ONE)
  const lines = []
  client.on('log', (line) => lines.push(line))
  client.on('log', () => {
    throw new Error('a logger that fails')
  })
  const calls = [() => { throw new Error('at once') }, () => Promise.reject(new Error('later')), () => {}]
  const last = gate()
  await client.subscribe('a/#', (message) => (calls.length === 1 ? last.open() : undefined, calls.shift()(message)))
  for (const topic of ['a/0', 'a/1', 'a/2']) client.publish(topic, 'secret payload')
  await last.opened
  const failures = lines.filter(({ level }) => level === 'error').map(({ text }) => text)
  assert.equal(failures.length, 2)
  assert.match(failures[0], /^a handler of a\/0 failed: Error: at once\n/)
  assert.match(failures[1], /^a handler of a\/1 failed: Error: later\n/)
  await eventually(() => client.stats().handlerFailures === 2)
  assert.ok(!JSON.stringify(lines).includes('secret'))
})

test('listeners get what has no handler; their promises hold the acknowledgement back', async (t) => {
  const { client } = await online(t, WINDOW_OF_ONE)
  const [begun, may] = [gate(), gate()]
  const seen = []
  client.on('message', (topic, payload, message) => seen.push([topic, payload.toString(), message.topic]))
  client.on('message', () => (begun.open(), may.opened))
  await client.subscribe('a')
  await Promise.all([client.publish('a', '0'), client.publish('a', '1')])
  await begun.opened
  await receivedOnly(client, 1)
  may.open()
  await eventually(() => seen.length === 2)
  assert.deepEqual(seen, [['a', '0', 'a'], ['a', '1', 'a']])
})

test('once gets one message; what came behind it waits for the next taker', { timeout: LIMIT }, async (t) => {
  const { client } = await online(t)
  await client.subscribe('a')
  for (let i = 0; i < 5; i++) await client.publish('a', String(i))
  const [, payload] = await once(client, 'message')
  const taken = [payload.toString()]
  const iterator = client.messages()
  for (let i = 1; i < 3; i++) taken.push((await iterator.next()).value.payload.toString())
  await iterator.return()
  const all = gate()
  client.on('message', (topic, body) => taken.push(body.toString()) === 5 && all.open())
  await all.opened
  assert.deepEqual(taken, ['0', '1', '2', '3', '4'])
})

test('without anybody to take it, an unmatched message is acknowledged and counted', async (t) => {
  const broker = brokerFor(t)
  const kept = { protocol: '5', cleanStart: false, clientId: 'kept', sessionExpiry: '1h' }
  const before = clientFor(t, broker.url, kept)
  await before.subscribe('a')
  await before.close({ timeout: LIMIT })
  const client = clientFor(t, broker.url, kept)
  await client.waitFor('online', { timeout: LIMIT })
  await client.publish('a')
  await eventually(() => client.stats().unhandled === 1)
  const came = first(client, 'message')
  await client.publish('a', 'x')
  const [, payload] = await came
  assert.equal(payload.toString(), 'x')
})

test('an iterator acknowledges a message when the next one is asked for', async (t) => {
  const { client } = await online(t, WINDOW_OF_ONE)
  const messages = client.messages()
  await client.subscribe('a')
  await Promise.all([client.publish('a', '0'), client.publish('a', '1'), client.publish('a', '2')])
  assert.equal((await messages.next()).value.payload.toString(), '0')
  await receivedOnly(client, 1)
  assert.equal((await messages.next()).value.payload.toString(), '1')
  await receivedOnly(client, 2)
  await messages.return()
  await eventually(() => client.stats().messagesIn[1] === 3)
  assert.deepEqual(await messages.next(), { done: true, value: undefined })
  for await (const message of client.messages()) {
    assert.equal(message.payload.toString(), '2')
    break
  }
})

test('an iterator waits within limits, and ends when it is told or the client closes', async (t) => {
  const { client } = await online(t)
  await assert.rejects(client.messages({ timeout: 1 }).next(), error('TIMED_OUT'))
  const controller = new AbortController()
  const waiting = client.messages({ signal: controller.signal }).next()
  controller.abort(new Error('given up'))
  await assert.rejects(waiting, /given up/)
  const told = client.messages()
  const next = told.next()
  await told.return()
  assert.equal((await next).done, true)
  const seen = (async () => {
    const topics = []
    for await (const { topic } of client.messages()) topics.push(topic)
    return topics
  })()
  await client.subscribe('a')
  await client.publish('a')
  await eventually(() => client.stats().messagesIn[1] === 1)
  await client.close()
  assert.deepEqual(await seen, ['a'])
})

test('several iterators share the messages out', async (t) => {
  const { client } = await online(t)
  await client.subscribe('a')
  const [one, other] = [client.messages(), client.messages()]
  const nexts = [one.next(), other.next()]
  await client.publish('a', '0')
  await client.publish('a', '1')
  const seen = (await Promise.all(nexts)).map(({ value }) => value.payload.toString())
  assert.deepEqual(seen.sort(), ['0', '1'])
})

test('manualAck leaves acknowledging to the application', async (t) => {
  const { client } = await online(t, { ...WINDOW_OF_ONE, manualAck: true })
  const seen = []
  await client.subscribe('a', (message) => seen.push(message))
  await Promise.all([client.publish('a', '0'), client.publish('a', '1')])
  await eventually(() => seen.length === 1)
  await receivedOnly(client, 1)
  seen[0].ack()
  seen[0].ack()
  await eventually(() => seen.length === 2)
  seen[1].ack()
})

test('ack does nothing where messages are acknowledged by themselves', async (t) => {
  const { client } = await online(t, WINDOW_OF_ONE)
  const [begun, may] = [gate(), gate()]
  await client.subscribe('a', (message) => (message.ack(), begun.open(), may.opened))
  await Promise.all([client.publish('a', '0'), client.publish('a', '1')])
  await begun.opened
  await receivedOnly(client, 1)
  may.open()
})

test('a refused filter rejects with the reason, and hurts only itself', async (t) => {
  const broker = brokerFor(t, { deny: 'secret', protocol: '5' })
  const client = clientFor(t, broker.url)
  await client.waitFor('online', { timeout: LIMIT })
  const came = gate()
  const refused = (thrown) => thrown.reason === 0x87 && error('REFUSED', /^the broker refused the filter "secret"/)(thrown)
  await assert.rejects(client.subscribe(['secret', 'a'], came.open), refused)
  client.publish('a')
  await came.opened
  assert.deepEqual(await client.subscribe('b'), [1])
})
