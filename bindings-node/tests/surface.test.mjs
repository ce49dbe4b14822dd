// What exists at run time and what the types say is the same, in both directions: no verb is untyped, no type is made up.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import leveret, * as named from '../index.mjs'
import testing, * as testingNamed from '../testing.mjs'
import { brokerFor, clientFor, eventually } from './common.mjs'

const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
const TYPES = { leveret: read('index.d.ts') + read('tables.d.ts'), testing: read('testing.d.ts') }

/** The values that a declaration file exports: constants, functions and classes. */
const exported = (types) => [...types.matchAll(/^export declare (?:const|function|class) (\w+)/gm)].map(([, name]) => name)

/** The members of a class or interface in a declaration file, by name; `[x]` for symbols. */
function members(types, name) {
  const body = new RegExp(`^export (?:declare class|interface) ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(types)[1]
  const lines = body.match(/^ {2}(?![*/ ]|private constructor|constructor).*$/gm)
  return [...new Set(lines.map((line) => /^(?:readonly |get )*([\w]+|\[[\w.]+\])/.exec(line.trim())?.[1]).filter(Boolean))]
}

/** The same of an object that is there: what its class has, and what it has of its own, without what Node gives it. */
function own(object, without = []) {
  const names = [...Reflect.ownKeys(object), ...Reflect.ownKeys(Object.getPrototypeOf(object))]
  const shown = names.map((name) => (typeof name === 'symbol' ? `[${name.description.replace('nodejs.', 'Symbol.')}]` : name))
  const hidden = ['constructor', '[Symbol.util.inspect.custom]', ...without]
  return [...new Set(shown)].filter((name) => !hidden.includes(name))
}

/** What a caller of both kinds needs, sorted. */
const same = (actual, expected, what) => assert.deepEqual([...actual].sort(), [...expected].sort(), what)

test('the packages export what their types declare, to import and to require alike', () => {
  const named_ = Object.keys(named).filter((name) => name !== 'default')
  same(named_, exported(TYPES.leveret))
  same(Object.keys(leveret), named_)
  const testing_ = Object.keys(testingNamed).filter((name) => name !== 'default')
  same(testing_, exported(TYPES.testing))
  same(Object.keys(testing), testing_)
})

test('each class has the members that its type declares, and no others', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url)
  const messages = client.subscription('a')
  const receipt = client.publish('a')
  const { value: message } = await messages.next()
  const outcome = await receipt
  const error = await client.subscribe('a/#/b').catch((thrown) => thrown)
  const ofNode = ['_events', '_eventsCount', '_maxListeners', '[Symbol.shapeMode]', '[shapeMode]', '[kCapture]']
  // Methods of EventEmitter that are typed for the events here, but inherited or not overridden as they are.
  const inherited = ['once', 'prependOnceListener', 'removeAllListeners']
  const clientMembers = own(client, ofNode)
  same([...new Set([...clientMembers, ...inherited])], [...new Set([...members(TYPES.leveret, 'Client'), ...inherited])], 'Client')
  same(own(messages), members(TYPES.leveret, 'Messages'), 'Messages')
  same(own(receipt), members(TYPES.leveret, 'Receipt'), 'Receipt')
  same(own(message), members(TYPES.leveret, 'Message'), 'Message')
  same(own(outcome), members(TYPES.leveret, 'Outcome'), 'Outcome')
  same(own(broker), members(TYPES.testing, 'Broker'), 'Broker')
  const optional = ['name', 'reason', 'outcome', 'receipts']
  same([...own(error, ['stack', 'message', 'name']), ...optional], members(TYPES.leveret, 'MqttError'), 'MqttError')
})

test('stats have the counters that their type declares', async (t) => {
  const broker = brokerFor(t)
  const client = clientFor(t, broker.url)
  await client.waitFor('online')
  await client.ping()
  client.reconnect()
  broker.swallow('PUBLISH', 1_000)
  client.publish('a')
  // What is measured, counted or failed is there once it has been.
  await eventually(() => Object.keys(client.stats()).length === members(TYPES.leveret, 'Stats').length)
  same(Object.keys(client.stats()), members(TYPES.leveret, 'Stats'))
})

test('every public item of the types is used by the type tests', () => {
  const tests = read('tests/types.test.mts') + read('tests/types.test.cts') + read('tests/types-exact.test.mts')
  const items = [...(TYPES.leveret + TYPES.testing + read('options.d.ts')).matchAll(/^export (?:declare )?(?:const|function|class|interface|type) (\w+)/gm)]
  const members_ = ['Client', 'Messages', 'Receipt', 'Message', 'Outcome', 'MqttError', 'Stats', 'ClientEvents', 'AllClientsEvents', 'MessageProperties', 'WaitOptions']
  const wanted = [...items.map(([, name]) => name), ...members_.flatMap((name) => members(TYPES.leveret, name)), ...members(TYPES.testing, 'Broker'), ...members(TYPES.testing, 'BrokerOptions')]
  const missing = wanted.filter((name) => !tests.includes(name.replace(/[[\]]/g, '')))
  assert.deepEqual([...new Set(missing)], [])
})
