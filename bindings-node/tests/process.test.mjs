// Guests in a process: when it ends, what it prints, worker threads, and promises that nobody looks at.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'

import { connect } from '../index.mjs'
import { brokerFor, eventually, LIMIT, offline, online } from './common.mjs'

const PACKAGE = new URL('../index.mjs', import.meta.url)

/** Runs a program that knows `connect`, `client` (to `url`) and `url`; its exit code and what it printed. */
async function run(t, url, program) {
  const prelude = `import { connect } from '${PACKAGE}'; const url = '${url}'; const client = connect(url);`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', prelude + program], { timeout: 2 * LIMIT, killSignal: 'SIGKILL' })
  t.after(() => child.kill('SIGKILL'))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data))
  const [code, signal] = await once(child, 'close')
  return { code, signal, printed }
}

const CLEAN = { code: 0, signal: null, printed: '' }

test('a process ends by itself after close', async (t) => {
  const broker = brokerFor(t)
  assert.deepEqual(await run(t, broker.url, "await client.waitFor('online'); await client.close()"), CLEAN)
})

test('a process ends by itself after a close in a handler', async (t) => {
  const broker = brokerFor(t)
  const program = "await client.subscribe('a', () => client.close()); await client.publish('a')"
  assert.deepEqual(await run(t, broker.url, program), CLEAN)
})

test('an open client keeps the process alive until it is closed', async (t) => {
  const broker = brokerFor(t)
  const program = `
    const reader = connect(url)
    reader.subscribe('end', async () => { console.log('still here'); await reader.close() }).then(async () => {
      await client.publish('end')
      await client.close()
    })`
  assert.deepEqual(await run(t, broker.url, program), { ...CLEAN, printed: 'still here\n' })
})

test('process.exit with an open client ends the process, with its own code', async (t) => {
  const broker = brokerFor(t)
  const exit = "await client.waitFor('online'); client.subscribe('a/#', () => {}); for (let i = 0; i < 500; i++) client.publish('a/b'); process.exit(7)"
  assert.deepEqual(await run(t, broker.url, exit), { ...CLEAN, code: 7 })
})

test('receipts that nobody looks at cost nothing and break nothing', async (t) => {
  const unhandled = []
  const note = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const { client } = await offline(t, { maxQueuedMessages: 10 })
  for (let i = 0; i < 1000; i++) client.publish('a', String(i), { ttl: 1 })
  await eventually(() => client.stats().outcomes.expired + client.stats().outcomes.dropped === 1000)
  client.publish('a')
  await client.close({ timeout: 0 })
  await new Promise(setImmediate)
  assert.deepEqual(unhandled, [])
})

test('no secret shows in errors, stats or when a client is printed', async (t) => {
  const { client } = await online(t, { username: 'user', password: 'hunter2' })
  assert.ok(!inspect(client, { depth: 9, showHidden: true }).includes('hunter2'))
  assert.ok(!JSON.stringify(client.stats()).includes('hunter2'))
  for (const password of [42_4242, { hunter2: 1n }]) {
    assert.throws(() => connect('mqtt://127.0.0.1:1', { password }), (thrown) => !/hunter2|424242/.test(thrown.message))
  }
  assert.throws(() => connect('mqtt://u:hunter2@127.0.0.1:1:1', {}), (thrown) => !thrown.message.includes('hunter2'))
})

test('worker threads have clients of their own, and may end with one open', async (t) => {
  const { broker, client } = await online(t)
  const source = `
    const { parentPort, workerData: url } = require('node:worker_threads')
    import(${JSON.stringify(PACKAGE.href)}).then(async ({ connect }) => {
      const client = connect(url)
      await client.subscribe('in', () => {})
      parentPort.postMessage((await client.publish('a', 'from a worker')).status)
    })`
  const workers = [0, 1].map(() => new Worker(source, { eval: true, workerData: broker.url }))
  const answers = await Promise.all(workers.map((worker) => once(worker, 'message')))
  assert.deepEqual(answers.flat(), ['acknowledged', 'acknowledged'])
  const ended = workers.map((worker) => worker.terminate())
  for (let i = 0; i < 100; i++) client.publish('in', String(i))
  await Promise.all(ended)
  assert.equal((await client.publish('a', 'from the main thread')).status, 'acknowledged')
})

test('handlers do not keep the event loop from all else', async (t) => {
  const { client } = await online(t, { maxQueuedMessages: 100_000 })
  let [seen, turns] = [0, 0]
  const turn = setInterval(() => turns++, 1)
  t.after(() => clearInterval(turn))
  await client.subscribe('a', () => seen++)
  for (let i = 0; i < 5000; i++) client.publish('a', 'x', { qos: 0 })
  await eventually(() => seen === 5000)
  assert.ok(turns > 0)
})
