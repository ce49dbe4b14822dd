// Requests and responses: what Node adds to the core's own tests.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Receipt } from '../index.mjs'
import { clientFor, error, eventually, LIMIT, online } from './common.mjs'

/** A client that asks and one that answers. */
async function pair(t, options) {
  const { broker, client: asker } = await online(t, options)
  const server = clientFor(t, broker.url, options)
  await server.waitFor('online', { timeout: LIMIT })
  return { broker, asker, server }
}

test('many requests at once each get their response, from handlers that answer at once or later', async (t) => {
  const { asker, server } = await pair(t)
  await server.serve('double/+', ({ levels }) => String(2 * levels[1]))
  await server.serve('later/+', async ({ levels }) => {
    await new Promise(setImmediate)
    return Buffer.from(String(3 * levels[1]))
  })
  const asked = Array.from({ length: 50 }, (_, i) => asker.request(`${i % 2 ? 'double' : 'later'}/${i}`, '', { timeout: LIMIT }))
  const answers = (await Promise.all(asked)).map(({ payload }) => Number(payload))
  assert.deepEqual(answers, Array.from({ length: 50 }, (_, i) => (i % 2 ? 2 : 3) * i))
})

test('a message is answered by hand, with options and a receipt', async (t) => {
  const { asker, server } = await pair(t)
  const receipts = []
  await server.subscribe('door', (message) => void receipts.push(message.respond('closed', { contentType: 'text/plain', qos: 2 })))
  const response = await asker.request('door', '?', { timeout: LIMIT })
  assert.equal(response.payload.toString(), 'closed')
  assert.equal(response.properties.contentType, 'text/plain')
  assert.ok(receipts[0] instanceof Receipt)
  assert.equal((await receipts[0]).status, 'acknowledged')
  assert.throws(() => response.respond('to a response'), error('INVALID_ARGUMENT', /names no response topic/))
})

test('a signal gives a request up and takes its letter back', async (t) => {
  const { broker, client } = await online(t, { maxInFlight: 1 })
  broker.swallow('PUBLISH', 1)
  client.publish('stuck')
  await eventually(() => client.stats().inFlight === 1)
  const controller = new AbortController()
  const asked = client.request('nobody', '', { signal: controller.signal })
  await eventually(() => client.stats().queued === 1)
  controller.abort(new Error('given up'))
  await assert.rejects(asked, /given up/)
  await eventually(() => client.stats().outcomes.cancelled === 1)
})

test('on 3.1.1 the application says where to answer, by text or by function', async (t) => {
  const { asker, server } = await pair(t, { protocol: '3.1.1' })
  await server.serve('door/+', { responseTopic: ({ topic }) => `${topic}/response` }, ({ levels }) => `${levels[1]} is closed`)
  await server.serve('gate', { responseTopic: 'gate/response' }, () => {})
  const front = await asker.request('door/front', '', { responseTopic: 'door/front/response', timeout: LIMIT })
  assert.equal(front.payload.toString(), 'front is closed')
  const gate = await asker.request('gate', '', { responseTopic: 'gate/response', timeout: LIMIT })
  assert.equal(gate.payload.length, 0)
  await assert.rejects(asker.request('gate'), error('NOT_SUPPORTED', /^responseTopic must be given with a request on MQTT 3.1.1/))
})

test('a handler that fails, or whose answer has nowhere to go, is logged and harms nobody', async (t) => {
  const { asker, server } = await pair(t)
  const lines = []
  server.on('log', ({ text }) => lines.push(text))
  await server.serve('fails', () => {
    throw new Error('it is broken')
  })
  await server.serve('talks', () => 'something')
  await asker.publish('talks')
  await assert.rejects(asker.request('fails', '', { timeout: 100 }), error('TIMED_OUT', /^no response came in time/))
  await eventually(() => ['it is broken', 'names no response topic'].every((what) => lines.some((line) => line.includes(what))))
  assert.equal((await asker.request('talks', '', { timeout: LIMIT })).payload.toString(), 'something')
})

test('what is wrong with a request is said at once', async (t) => {
  const { client } = await online(t)
  await assert.rejects(client.request('a/+'), error('INVALID_ARGUMENT', /^topic must not contain the wildcard/))
  await assert.rejects(client.request('a', '', { timeout: 0 }), error('INVALID_ARGUMENT', 'timeout must be at least 1ms, not less'))
  await assert.rejects(client.request('a', '', 5), error('INVALID_ARGUMENT', /^options must be an object/))
  await assert.rejects(client.request('a', '', { qso: 1 }), error('UNKNOWN_OPTION', /did you mean qos/))
  await assert.rejects(client.serve('a'), error('INVALID_ARGUMENT', /^handler must be a function/))
  const asked = client.request('nobody', '', { timeout: null })
  await Promise.all([client.close({ timeout: 0 }), assert.rejects(asked, error('CLOSED'))])
})
