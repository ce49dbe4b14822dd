// Events: every one of them, in order, and that none can harm the client.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { brokerFor, clientFor, error, eventually, first, gate, LIMIT, online } from './common.mjs'

test('connections tell of every change, and the log of each in a line', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url, { clientId: 'door', protocol: '5', username: 'user', password: 'hunter2' })
  const [events, lines, statuses] = [[], [], []]
  client.on('connection', (event) => events.push(event))
  client.on('status', (status) => statuses.push(status))
  client.on('log', (line) => lines.push(line))
  const [onlineEvent] = await first(client, 'online')
  assert.deepEqual([onlineEvent.kind, onlineEvent.version, onlineEvent.clientId, onlineEvent.endpoint], ['online', '5', 'door', 0])
  assert.equal(onlineEvent.sessionPresent, false)
  assert.equal(typeof onlineEvent.properties, 'object')
  const gone = first(client, 'offline')
  broker.stop()
  const [offlineEvent] = await gone
  error(offlineEvent.error.code.slice('ERR_MQTT_'.length))(offlineEvent.error)
  await eventually(() => events.some(({ kind }) => kind === 'attempt_failed'))
  const attempt = events.find(({ kind }) => kind === 'attempt_failed')
  assert.ok(attempt.error.message && attempt.retryIn >= 0 && attempt.endpoint === 0)
  broker.start()
  await eventually(() => events.filter(({ kind }) => kind === 'online').length === 2)
  const closed = first(client, 'closed')
  await client.close()
  assert.deepEqual(await closed, [])
  assert.deepEqual([...statuses.slice(0, 3), statuses.at(-1)], ['online', 'offline', 'online', 'closed'])
  assert.equal(client.stats().reconnects, 1)
  const texts = lines.map(({ level, text }) => `${level}: ${text}`)
  assert.equal(texts[0], 'info: online, MQTT 5, session present: false')
  assert.ok(texts.some((text) => text.startsWith('warn: offline: ')))
  assert.ok(texts.some((text) => /^warn: could not connect: .*; next attempt in \d+ ms$/.test(text)))
  assert.ok(!texts.join().includes('hunter2'))
})

test('subscriptions tell how they stand', async (t) => {
  const broker = brokerFor(t, { maximumQos: 1, deny: 'secret', protocol: '5' })
  const client = clientFor(t, broker.url)
  const events = []
  client.on('subscription', (event) => events.push(event))
  await client.subscribe('a', { qos: 1 })
  await client.subscribe('b', { qos: 2 })
  await assert.rejects(client.subscribe('secret'), error('REFUSED'))
  await eventually(() => events.length === 3)
  assert.deepEqual(events.map(({ filter, state, reason }) => [filter, state, reason]), [
    ['a', 'up', 1],
    ['b', 'downgraded', 1],
    ['secret', 'refused', 0x87],
  ])
})

test('a ping is told, and measured in milliseconds', async (t) => {
  const { client } = await online(t)
  const told = first(client, 'ping')
  const milliseconds = await client.ping()
  const [event] = await told
  assert.ok(milliseconds > 0 && milliseconds < LIMIT && event > 0 && event < LIMIT)
  assert.ok(client.stats().roundTrip > 0)
})

test('a notice tells of something odd', async (t) => {
  const broker = brokerFor(t, { protocol: '3.1.1' })
  const [client, sender] = [clientFor(t, broker.url, { maxPacketSize: 1024 }), clientFor(t, broker.url)]
  await client.subscribe('a')
  const told = first(client, 'notice')
  await sender.publish('a', Buffer.alloc(2000))
  const [{ kind, text }] = await told
  assert.ok(kind.length > 0 && /1024|larger|size/.test(text), `${kind}: ${text}`)
  await eventually(() => client.stats().oversize === 1)
})

test('waitFor also sees what came and went, and gives up when told', async (t) => {
  const { broker, client } = await online(t)
  await client.waitFor('online')
  await assert.rejects(client.waitFor('offline', { timeout: '1ms' }), error('TIMED_OUT'))
  await assert.rejects(client.waitFor('offline', { signal: AbortSignal.timeout(1) }), { name: 'TimeoutError' })
  const left = client.waitFor('offline', { timeout: LIMIT })
  broker.stop()
  broker.start()
  await left
  const again = client.waitFor('offline', { timeout: LIMIT })
  client.reconnect()
  await again
  await client.waitFor('online', { timeout: LIMIT })
})

test('listeners that throw or reject harm neither the client nor each other, and are logged', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url)
  const lines = []
  client.on('log', (line) => lines.push(line.text))
  client.on('online', () => {
    throw new Error('at once')
  })
  client.on('online', () => Promise.reject(new Error('later')))
  const second = gate()
  client.on('online', second.open)
  await second.opened
  await eventually(() => lines.filter((text) => text.startsWith('a handler of online events failed')).length === 2)
  assert.equal((await client.publish('a')).status, 'acknowledged')
})

test('an error event is never emitted, so that a broker that is not there is no crash', async (t) => {
  const client = clientFor(t, 'mqtt://127.0.0.1:1')
  client.on('error', () => assert.fail('an error event'))
  await eventually(() => client.stats().failedAttempts > 1)
  assert.match(client.stats().lastError, /refused|connect/)
})

test('await using closes the client', async (t) => {
  const { client } = await online(t)
  await client[Symbol.asyncDispose]()
  assert.equal(client.status, 'closed')
})
