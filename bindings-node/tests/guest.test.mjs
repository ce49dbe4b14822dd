// A good guest: handlers that misbehave, forks, workers, many clients, many descriptors, garbage, test runners.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { Worker } from 'node:worker_threads'

import { brokerFor, CLEAN, clientFor, eventually, gate, LIMIT, online, PACKAGE, program, run, TESTING } from './common.mjs'

const require = createRequire(import.meta.url)
const FOLDER = fileURLToPath(new URL('..', import.meta.url))

/** What can be thrown, and cannot always be shown. */
const THROWN = [
  undefined,
  null,
  42,
  'text',
  Symbol('symbol'),
  Object.create(null),
  { get stack() { throw new Error('no stack') } },
  { toString() { throw new Error('no text') }, [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no inspection') } },
  new Proxy({}, { get() { throw new Error('no property') } }),
]

test('handlers and listeners that throw what is no Error harm nothing, and each is logged', async (t) => {
  const { client } = await online(t)
  const lines = []
  client.setMaxListeners(0)
  client.on('log', ({ text }) => lines.push(text))
  let calls = 0
  await client.subscribe('a', () => { throw THROWN[calls++] })
  for (const thrown of THROWN) {
    client.on('ping', () => { throw thrown })
    client.on('ping', () => Promise.reject(thrown))
  }
  for (let i = 0; i < THROWN.length; i++) await client.publish('a')
  await client.ping()
  await eventually(() => lines.filter((text) => text.includes('failed')).length === 3 * THROWN.length)
  await eventually(() => client.stats().handlerFailures === THROWN.length)
})

test('log listeners that throw or reject harm nothing', async (t) => {
  const { client } = await online(t)
  const unhandled = []
  const note = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  client.setMaxListeners(0)
  for (const thrown of THROWN) {
    client.on('log', () => { throw thrown })
    client.on('log', () => Promise.reject(thrown))
  }
  await client.subscribe('a', () => { throw new Error('into the log') })
  await client.publish('a')
  await eventually(() => client.stats().handlerFailures === 1)
  await new Promise(setImmediate)
  assert.deepEqual(unhandled, [])
})

test('a handler that blocks the event loop holds up neither pings nor acknowledgements of other clients', async (t) => {
  const { broker, client } = await online(t, { keepAlive: 1_000 })
  const other = clientFor(t, broker.url)
  await other.waitFor('online')
  const receipt = other.publish('b', 'x', { ttl: 2_000 })
  await client.subscribe('a', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500))
  await client.publish('a')
  await eventually(() => client.stats().roundTrip !== undefined)
  assert.equal((await receipt).status, 'acknowledged')
  assert.equal(client.stats().reconnects, 0)
})

test('close ends although handlers, listeners and iterators never do', async (t) => {
  const { client } = await online(t)
  const begun = [gate(), gate(), gate()]
  const never = (place) => () => (begun[place].open(), new Promise(() => {}))
  await client.subscribe('a', never(0))
  client.on('ping', never(1))
  const messages = client.subscription('b')
  const iterating = (async () => {
    for await (const message of messages) await Promise.race([never(2)(message), closed.opened])
  })()
  const closed = gate()
  await client.ping()
  await client.publish('b')
  await client.publish('a')
  await Promise.all(begun.map(({ opened }) => opened))
  await client.close({ timeout: LIMIT })
  closed.open()
  await iterating
})

test('child processes forked before and after first use have clients of their own', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'leveret-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const script = join(folder, 'child.mjs')
  writeFileSync(script, `
    import { connect } from '${PACKAGE}'
    const client = connect(process.argv[2])
    process.send((await client.publish('a', 'from a child')).status)
    await client.close()
    process.disconnect()`)
  const broker = brokerFor(t)
  const begin = () => fork(script, [broker.url], { timeout: 2 * LIMIT, killSignal: 'SIGKILL' })
  const answer = async (child) => [await once(child, 'message'), await once(child, 'exit')].map(([value]) => value)
  const before = begin()
  const client = clientFor(t, broker.url)
  await client.waitFor('online')
  const after = begin()
  assert.deepEqual(await Promise.all([before, after].map(answer)), [['acknowledged', 0], ['acknowledged', 0]])
  assert.equal((await client.publish('a')).status, 'acknowledged')
})

test('each worker of a cluster has clients of its own', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'leveret-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const script = join(folder, 'cluster.mjs')
  writeFileSync(script, `
    import cluster from 'node:cluster'
    import { connect } from '${PACKAGE}'
    const client = connect(process.argv[2])
    await client.publish('a')
    if (cluster.isPrimary) {
      const workers = [cluster.fork(), cluster.fork()]
      const codes = await Promise.all(workers.map((worker) => new Promise((done) => worker.once('exit', done))))
      if (codes.some((code) => code !== 0)) process.exitCode = 1
    } else cluster.worker.disconnect()
    await client.close()`)
  const broker = brokerFor(t)
  const child = fork(script, [broker.url], { timeout: 2 * LIMIT, killSignal: 'SIGKILL' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert.equal(broker.received.length, 3)
})

/** The source of a worker that knows `connect` and `url`, and says `ready`. */
const worker = (source) => `
  const { parentPort, workerData: url } = require('node:worker_threads')
  const { connect } = require(${JSON.stringify(join(FOLDER, 'index.cjs'))})
  const ready = () => parentPort.postMessage('ready')
  ${source}`

test('loaded and unloaded by up to 200 workers, each ended in the middle of its work', { timeout: 12 * LIMIT }, async (t) => {
  const { broker, client } = await online(t)
  const endings = [
    ["const client = connect(url); client.on('online', () => { ready(); process.exit(0) })", false],
    ["const client = connect(url); client.subscribe('in/#', () => {}); client.on('online', ready)", true],
    ["const client = connect(url); setImmediate(function more() { for (let i = 0; i < 9; i++) client.publish('out', 'x', { qos: 0, overflow: 'drop_oldest' }); setImmediate(more) }); ready()", true],
    ["connect(url).close().then(ready)", false],
  ]
  // As many as a slow machine gets done in time, and at least some of each kind.
  const enough = performance.now() + 1.5 * LIMIT
  let begun = 0
  const one = async () => {
    while (begun < 200 && (begun < 24 || performance.now() < enough)) {
      const [source, terminate] = endings[begun++ % endings.length]
      const each = new Worker(worker(source), { eval: true, workerData: broker.url })
      const exited = once(each, 'exit')
      await once(each, 'message')
      client.publish('in/a', 'x', { qos: 0 })
      if (terminate) each.terminate()
      await exited
    }
  }
  await Promise.all([one(), one(), one()])
  t.diagnostic(`${begun} workers`)
  assert.equal((await client.publish('after')).status, 'acknowledged')
})

test('loaded again and again in one thread, as test runners do, also in contexts of their own', async (t) => {
  const { broker, client } = await online(t)
  const files = () => Object.keys(require.cache).filter((file) => file.startsWith(FOLDER))
  t.after(() => files().forEach((file) => delete require.cache[file]))
  for (let i = 0; i < 25; i++) {
    files().forEach((file) => delete require.cache[file])
    const fresh = require('../index.cjs')
    const run = vm.runInNewContext('(async ({ connect }, url) => { const c = connect([url], { clientId: "vm" }); const r = await c.publish("a", new Uint8Array(2)); await c.close(); return r })')
    const outcome = await run(fresh, broker.url)
    assert.ok(outcome instanceof fresh.Outcome && outcome.ok)
    assert.throws(() => fresh.connect('nonsense'), (thrown) => thrown instanceof fresh.MqttError)
  }
  assert.equal((await client.publish('a')).status, 'acknowledged')
})

test('fake timers of a test runner stop nothing', async (t) => {
  const broker = brokerFor(t)
  const source = `
    import { connect } from '${PACKAGE}'
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) globalThis[name] = () => ({ unref() {}, ref() {} })
    process.nextTick = () => {}
    const client = connect('${broker.url}')
    let [seen, all] = [0, undefined]
    const five = new Promise((resolve) => { all = resolve })
    await client.subscribe('a', () => { if (++seen === 5) all() })
    for (let i = 0; i < 5; i++) await client.publish('a').wait({ timeout: 60_000 })
    await five
    await client.waitFor('offline', { timeout: 5 }).catch(({ code }) => console.log(code))
    await client.close()`
  assert.deepEqual(await program(source), { ...CLEAN, printed: 'ERR_MQTT_TIMED_OUT\n' })
})

test('a test runner ends after close, without being forced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'leveret-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'a.test.mjs'), `
    import { test } from 'node:test'
    import { connect } from '${PACKAGE}'
    import { Broker } from '${TESTING}'
    test('a', async () => {
      const broker = new Broker()
      const client = connect(broker.url)
      await client.publish('a').wait({ timeout: 60_000 })
      await client.close()
      broker.close()
    })`)
  // Node's own runner counts as a test of this one unless it is told otherwise.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const { code, signal, printed } = await run(process.execPath, ['--test', join(folder, 'a.test.mjs')], { env })
  assert.deepEqual([code, signal], [0, null], printed)
  assert.match(printed, /pass 1/)
})

/** The growth of this process in memory, threads and descriptors, for the programs below. */
const COUNTS = `
  import { readdirSync } from 'node:fs'
  const counts = () => { gc(); return { threads: readdirSync('/proc/self/task').length, descriptors: readdirSync('/proc/self/fd').length, handles: process.getActiveResourcesInfo().length, memory: process.memoryUsage().rss } }
  const look = async () => { await new Promise((r) => setTimeout(r, 20)); return counts() }
  const more = (a, b) => ['threads', 'descriptors', 'handles'].some((name) => a[name] > b[name])
  const settled = async (wanted) => { let now = await look(); for (let i = 0; i < 250; i++) { const next = await look(); if (!more(now, wanted ?? next)) break; now = next } return now }`

test('10 000 clients made and closed leave no memory, threads, descriptors or handles behind', { skip: process.platform !== 'linux', timeout: 12 * LIMIT }, async (t) => {
  const source = `
    import { connect } from '${PACKAGE}'
    import { Broker } from '${TESTING}'
    ${COUNTS}
    const broker = new Broker()
    const refused = 'mqtt://127.0.0.1:1'
    const one = async (i) => {
      const client = connect(i % 10 === 0 ? broker.url : refused)
      client.on('message', () => {})
      client.publish('a')
      if (i % 10 === 0) await client.waitFor('online')
      await client.close({ timeout: 0 })
    }
    const many = async (count) => { for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => one(i + k))) }
    await many(2_000)
    const before = await settled()
    await many(8_000)
    const after = await settled(before)
    const grown = Object.fromEntries(Object.keys(before).map((name) => [name, after[name] - before[name]]))
    if (more(after, before) || grown.memory > 24 * 2 ** 20) console.log(grown)
    broker.close()`
  assert.deepEqual(await program(source, { flags: ['--expose-gc'] }), CLEAN)
})

test('what nobody holds any more is collected: closed clients, receipts, iterators, which then end', async (t) => {
  const source = `
    import { connect } from '${PACKAGE}'
    import { Broker } from '${TESTING}'
    const broker = new Broker()
    const client = connect(broker.url, { backoffMin: 10 })
    const until = async (what, done) => { for (let i = 0; !done(); i++) { if (i === 1000) throw new Error(what); await new Promise((r) => setTimeout(r, 5)); gc() } }
    await client.waitFor('online')
    const closed = await (async () => { const its = connect(broker.url); await its.subscribe('a', () => {}); await its.close(); return new WeakRef(its) })()
    await until('a closed client', () => closed.deref() === undefined)
    const open = (() => { const its = connect(broker.url); its.subscribe('open', () => its.close()); return new WeakRef(its) })()
    const receipt = (() => new WeakRef(client.publish('a')))()
    await until('a receipt', () => receipt.deref() === undefined)
    await (async () => { const messages = client.subscription('a'); client.publishMany([['a', '0'], ['a', '1'], ['a', '2']]); await messages.next(); await until('its messages', () => client.stats().inboxMessages > 0) })()
    const other = connect(broker.url)
    await until('an iterator', () => client.stats().inboxMessages === 0)
    await until('an open client that nobody holds works on', () => { other.publish('open'); return open.deref() === undefined || open.deref().status === 'closed' })
    await other.close(); await client.close(); broker.close()`
  assert.deepEqual(await program(source, { flags: ['--expose-gc'] }), CLEAN)
})

test('an open client is not collected, and its handlers go on being called', async (t) => {
  const broker = brokerFor(t)
  const source = `
    import { connect } from '${PACKAGE}'
    const seen = []
    await (async () => connect('${broker.url}').subscribe('a', (message) => seen.push(String(message.payload))))()
    const sender = connect('${broker.url}')
    for (let i = 0; i < 5; i++) { gc(); await sender.publish('a', 'x'); await new Promise((r) => setTimeout(r, 5)) }
    while (seen.length < 5) await new Promise((r) => setTimeout(r, 5))
    process.exit(0)`
  assert.deepEqual(await program(source, { flags: ['--expose-gc'] }), CLEAN)
})

test('descriptors above 1024 are as good as others', { skip: process.platform !== 'linux' }, async (t) => {
  const broker = brokerFor(t)
  const source = `
    import { openSync } from 'node:fs'
    import { connect } from '${PACKAGE}'
    let last = 0
    while (last < 1100) last = openSync('/dev/null')
    const client = connect('${broker.url}')
    await client.subscribe('a', async () => { await client.close() })
    await client.publish('a')`
  assert.deepEqual(await program(source, { command: ['sh', '-c', 'ulimit -n 2048 && exec "$0" "$@"', process.execPath] }), CLEAN)
})

test('without a descriptor left, a client says so or waits, and works when there are some again', { skip: process.platform !== 'linux' }, async (t) => {
  const broker = brokerFor(t)
  const source = `
    import { closeSync, openSync } from 'node:fs'
    import { connect } from '${PACKAGE}'
    const fill = () => { const held = []; try { for (;;) held.push(openSync('/dev/null')) } catch { return held } }
    let held = fill()
    try { connect('${broker.url}'); console.log('made') } catch (error) { if (error.code !== 'ERR_MQTT_SYSTEM') console.log(error) }
    held.forEach(closeSync)
    const first = connect('${broker.url}')
    await first.close()
    held = fill()
    const client = connect('${broker.url}', { backoffMin: 10, backoffMax: 20 })
    while (client.stats().failedAttempts < 2) await new Promise((r) => setTimeout(r, 5))
    if (!client.stats().lastError.includes('Too many open files')) console.log(client.stats().lastError)
    held.forEach(closeSync)
    const outcome = await client.publish('a')
    if (!outcome.ok) console.log(outcome)
    await client.close()`
  assert.deepEqual(await program(source, { command: ['sh', '-c', 'ulimit -n 128 && exec "$0" "$@"', process.execPath] }), CLEAN)
})
