// The programs of examples/node do what their first lines promise.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { brokerFor, clientFor, eventually, online, run } from './common.mjs'

const FOLDER = fileURLToPath(new URL('../../examples/node/', import.meta.url))
const tried = new Set()

/** Runs an example with words after its name. */
function example(name, words, during) {
  tried.add(name)
  return run(process.execPath, [FOLDER + name, ...words], { during })
}

test('worker.mjs does jobs, answers, passes failures on, and ends on SIGTERM when the last job is done', async (t) => {
  const { broker, client } = await online(t, { protocol: '5' })
  const said = []
  await client.subscribe(['jobs/done', 'jobs/failed', 'mine'], ({ topic, payload }) => said.push(`${topic} ${payload}`))
  const ended = await example('worker.mjs', [broker.url], async (child) => {
    const one = (name, options) => client.publish('jobs/new', JSON.stringify({ name, milliseconds: 5 }), options)
    // Jobs of before the worker has subscribed are nobody's: until one is done.
    await eventually(() => one('first').then(() => said.some((text) => text === 'jobs/done first')))
    await one('second', { responseTopic: 'mine' })
    await client.publish('jobs/new', 'nonsense')
    await eventually(() => said.includes('mine second') && said.some((text) => text.startsWith('jobs/failed SyntaxError')))
    child.kill('SIGTERM')
  })
  assert.deepEqual([ended.code, ended.signal], [0, null], ended.printed)
  assert.match(ended.printed, /done second/)
})

test('sensor.mjs keeps an alarm over an outage, and of its readings the last', async (t) => {
  const broker = brokerFor(t)
  broker.stop()
  const ended = await example('sensor.mjs', [broker.url], async (child, prints) => {
    await prints('too hot')
    broker.start()
  })
  assert.deepEqual([ended.code, ended.signal], [0, null], ended.printed)
  assert.match(ended.printed, /^alarm acknowledged$/m)
  const seen = broker.received.map(({ topic, payload }) => `${topic} ${payload}`)
  assert.ok(seen.includes('boilers/3/alarm too hot'), String(seen))
  assert.ok(seen.filter((text) => text.startsWith('boilers/3/temperature')).length <= 2, String(seen))
})

test('gateway.cjs publishes what is posted, tells its health, and ends on SIGTERM', async (t) => {
  const broker = brokerFor(t)
  const watcher = clientFor(t, broker.url)
  const seen = []
  await watcher.subscribe('#', ({ topic, payload }) => seen.push(`${topic} ${payload}`))
  const ended = await example('gateway.cjs', [broker.url, '0'], async (child) => {
    let printed = ''
    child.stdout.on('data', (data) => (printed += data))
    await eventually(() => printed.includes('\n'))
    const address = printed.trim()
    const post = async (topic, body) => {
      const response = await fetch(`${address}/${topic}`, { method: 'POST', body, headers: { connection: 'close' } })
      return [response.status, await response.json()]
    }
    assert.deepEqual(await post('doors/front', 'open'), [200, { outcome: 'acknowledged', maybeDelivered: false }])
    assert.equal((await post('doors/+', 'open'))[1].error, 'ERR_MQTT_INVALID_ARGUMENT')
    const health = await fetch(`${address}/health`, { headers: { connection: 'close' } })
    assert.equal((await health.json()).status, 'online')
    await eventually(() => seen.includes('doors/front open'))
    child.kill('SIGTERM')
  })
  assert.deepEqual([ended.code, ended.signal], [0, null], ended.printed)
})

test('every example is tried here', () => {
  assert.deepEqual(readdirSync(FOLDER).filter((name) => !tried.has(name)), [])
})
