// Guests in a process: when it ends, what it prints, worker threads, and promises that nobody looks at.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'

import { connect } from '../index.mjs'
import { brokerFor, CLEAN, eventually, offline, online, PACKAGE, program, TESTING } from './common.mjs'

/** Runs a program that knows `connect`, `client` (to `url`) and `url`. */
const run = (url, source, options) =>
  program(`import { connect } from '${PACKAGE}'; const url = '${url}'; const client = connect(url);${source}`, options)

test('a process ends by itself after close', async (t) => {
  const broker = brokerFor(t)
  assert.deepEqual(await run(broker.url, "await client.waitFor('online'); await client.close()"), CLEAN)
})

test('a process ends by itself after a close in a handler', async (t) => {
  const broker = brokerFor(t)
  const program = "await client.subscribe('a', () => client.close()); await client.publish('a')"
  assert.deepEqual(await run(broker.url, program), CLEAN)
})

test('an open client keeps the process alive until it is closed', async (t) => {
  const broker = brokerFor(t)
  const program = `
    const reader = connect(url)
    reader.subscribe('end', async () => { console.log('still here'); await reader.close() }).then(async () => {
      await client.publish('end')
      await client.close()
    })`
  assert.deepEqual(await run(broker.url, program), { ...CLEAN, printed: 'still here\n' })
})

const FLOOD = "await client.waitFor('online'); client.subscribe('a/#', () => {}); for (let i = 0; i < 500; i++) client.publish('a/b');"

test('process.exit with an open client ends the process, with its own code', async (t) => {
  const broker = brokerFor(t)
  assert.deepEqual(await run(broker.url, `${FLOOD} process.exit(7)`), { ...CLEAN, code: 7 })
})

test('process.exit inside a handler, a listener or an iterator ends the process, with its own code', async (t) => {
  const broker = brokerFor(t)
  const places = [
    "await client.subscribe('a', () => process.exit(7)); client.publish('a')",
    "client.on('online', () => process.exit(7))",
    "const messages = client.subscription('a'); client.publish('a'); for await (const message of messages) process.exit(7)",
  ]
  for (const place of places) assert.deepEqual(await run(broker.url, place), { ...CLEAN, code: 7 }, place)
})

test('an uncaught exception with an open client ends the process as without one', async (t) => {
  const broker = brokerFor(t)
  const { code, signal, printed } = await run(broker.url, `${FLOOD} setImmediate(() => { throw new Error('mine') })`)
  assert.deepEqual([code, signal], [1, null])
  assert.match(printed, /Error: mine/)
})

test('an unhandled rejection with an open client ends the process as without one', async (t) => {
  const broker = brokerFor(t)
  const { code, printed } = await run(broker.url, `${FLOOD} Promise.reject(new Error('mine'))`)
  assert.equal(code, 1)
  assert.match(printed, /Error: mine/)
})

test('SIGTERM and SIGINT do what they do without leveret', async (t) => {
  const broker = brokerFor(t)
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const during = async (child, prints) => {
      await prints('ready')
      child.kill(signal)
    }
    assert.deepEqual(await run(broker.url, `${FLOOD} console.log('ready')`, { during }), { code: null, signal, printed: 'ready\n' })
  }
})

test('a program that closes its client on SIGTERM sends what waits, and ends', async (t) => {
  const broker = brokerFor(t)
  const source = `
    process.once('SIGTERM', async () => { const last = client.publish('last'); await client.close(); console.log(String(last.outcome)) })
    await client.waitFor('online'); console.log('ready')`
  const during = async (child, prints) => {
    await prints('ready')
    child.kill('SIGTERM')
  }
  assert.deepEqual(await run(broker.url, source, { during }), { ...CLEAN, printed: 'ready\nacknowledged\n' })
})

test('SIGPIPE never comes, however often the broker goes in the middle of a write', async (t) => {
  const source = `
    import { Broker } from '${TESTING}'
    const broker = new Broker()
    const sender = connect(broker.url, { backoffMin: 10, backoffMax: 20, overflow: 'drop_oldest' })
    const payload = Buffer.alloc(16_000)
    for (let i = 0; i < 20; i++) {
      await sender.waitFor('online')
      try { for (let i = 0; i < 200; i++) sender.publish('a', payload, { qos: 0 }) } catch {}
      broker.stop()
      await new Promise(setImmediate)
      broker.start()
    }
    await sender.close({ timeout: 0 }); await client.close({ timeout: 0 }); broker.close()`
  assert.deepEqual(await run('mqtt://127.0.0.1:1', source), CLEAN)
})

test('an unreferenced client does not keep the process alive, and one that is referenced again does', async (t) => {
  const broker = brokerFor(t)
  const idle = "await client.waitFor('online'); await client.subscribe('a', () => {}); client.unref()"
  assert.deepEqual(await run(broker.url, idle), CLEAN)
  assert.deepEqual(await run(broker.url, 'client.unref(); connect(url).unref()'), CLEAN)
  const again = `
    client.unref().ref()
    await client.subscribe('end', () => { console.log(client.hasRef()); client.unref(); console.log(client.hasRef()) })
    setImmediate(() => client.publish('end'))`
  assert.deepEqual(await run(broker.url, again), { ...CLEAN, printed: 'true\nfalse\n' })
})

test('while an unreferenced client is waited for with a timeout, the process stays', async (t) => {
  const broker = brokerFor(t)
  const source = "client.unref(); console.log(String(await client.publish('a').wait({ timeout: 10_000 })))"
  assert.deepEqual(await run(broker.url, source), { ...CLEAN, printed: 'acknowledged\n' })
})

test('shutdown inside a handler, a listener or an iterator ends every client, and then the process', async (t) => {
  const broker = brokerFor(t)
  const places = [
    "await client.subscribe('a', end); client.publish('a')",
    "client.on('online', end)",
    "client.on('log', end)",
    "const messages = client.subscription('a'); client.publish('a'); for await (const message of messages) end()",
    "client.publish('a').then(end)",
  ]
  const end = `
    import { MqttError, setRuntimeThreads, shutdown } from '${PACKAGE}'
    const other = connect(url)
    client.on('closed', () => console.log('closed'))
    const end = () => {
      shutdown()
      shutdown()
      try { client.publish('late'); console.log('taken') } catch (error) { if (!(error instanceof MqttError)) throw error }
      setRuntimeThreads(2)
    };`
  for (const place of places) assert.deepEqual(await run(broker.url, end + place), { ...CLEAN, printed: 'closed\n' }, place)
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
    import(${JSON.stringify(PACKAGE)}).then(async ({ connect }) => {
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
