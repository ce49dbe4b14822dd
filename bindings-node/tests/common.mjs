// What the tests share: a broker and a client per test, and waiting for a condition.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { connect } from '../index.mjs'
import { Broker } from '../testing.mjs'

/** The longest that anything here may take, in milliseconds. */
export const LIMIT = 10_000

/** A broker that ends with the test. */
export function brokerFor(t, options) {
  const broker = new Broker(options)
  t.after(() => broker.close())
  return broker
}

/** A client that is closed at the end of the test, and comes back quickly. */
export function clientFor(t, url, options = {}) {
  const client = connect(url, { backoffMin: 10, backoffMax: 30, ...options })
  t.after(() => client.close({ timeout: 0 }))
  return client
}

/** A broker and a client that is online. */
export async function online(t, options) {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url, options)
  await client.waitFor('online', { timeout: LIMIT })
  return { broker, client }
}

/** A broker that is stopped, and a client that knows it. */
export async function offline(t, options) {
  const { broker, client } = await online(t, options)
  broker.stop()
  await client.waitFor('offline', { timeout: LIMIT })
  return { broker, client }
}

/** Waits until `condition` holds. */
export async function eventually(condition, what = String(condition)) {
  const deadline = performance.now() + LIMIT
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `it never came to ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** What an event brings first. */
export function first(client, name) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${name} event came`)), LIMIT)
    client.once(name, (...args) => {
      clearTimeout(late)
      resolve(args)
    })
  })
}

/** A promise and what ends it. */
export function gate() {
  let open
  const opened = new Promise((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** Wants an error of this code with this sentence. */
export const error = (code, text) => (thrown) => {
  assert.equal(thrown.code, `ERR_MQTT_${code}`, thrown.stack)
  assert.equal(thrown.name, 'MqttError')
  if (text instanceof RegExp) assert.match(thrown.message, text)
  else if (text !== undefined) assert.equal(thrown.message, text)
  return true
}

/** The packages, for programs of their own. */
export const PACKAGE = new URL('../index.mjs', import.meta.url).href
export const TESTING = new URL('../testing.mjs', import.meta.url).href

/**
 * Runs a program of its own, which has a time limit: its exit code, the signal that ended it, and what it printed. `during` gets the
 * process while it runs.
 */
export function program(source, { flags = [], command = [process.execPath], during } = {}) {
  const [executable, ...before] = command
  return run(executable, [...before, ...flags, '--input-type=module', '--eval', source], { during })
}

/** The same for any executable. */
export async function run(executable, words, { during = () => {}, ...options } = {}) {
  const child = spawn(executable, words, { timeout: 12 * LIMIT, killSignal: 'SIGKILL', ...options })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed += data))
  const closed = once(child, 'close')
  try {
    await during(child, (text) => eventually(() => printed.includes(text) || child.exitCode !== null, `print ${text}`))
    const [code, signal] = await closed
    return { code, signal, printed }
  } finally {
    child.kill('SIGKILL')
  }
}

/** What a program that ended well comes to. */
export const CLEAN = { code: 0, signal: null, printed: '' }
