// The README's programs run as they stand, against a broker of the test.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { brokerFor, PACKAGE, program, TESTING } from './common.mjs'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/^## ([^\n]*)$|```js\n(.*?)```/gms)]
let heading = 'the first screen'
let count = 0

for (const [, title, source] of blocks) {
  if (title !== undefined) {
    heading = title
    continue
  }
  test(`program ${++count} of the README, ${heading}`, async (t) => {
    const broker = brokerFor(t)
    const here = source
      .replaceAll('mqtt://localhost:1883', broker.url)
      .replaceAll("'leveret'", `'${PACKAGE}'`)
      .replaceAll("'leveret/testing'", `'${TESTING}'`)
    const { code, signal, printed } = await program(here)
    assert.deepEqual([code, signal], [0, null], printed)
    assert.doesNotMatch(printed, /Error|Warning/)
  })
}

test('every option of MQTT.js that the table translates exists here', () => {
  const types = readFileSync(new URL('../options.d.ts', import.meta.url), 'utf8')
  const translated = readme.match(/^\| .* \|$/gm).flatMap((row) => [...row.split('|')[2].matchAll(/`(\w+)(?=[`:])/g)].map(([, name]) => name))
  const options = translated.filter((name) => !/^(Message|client|status|acknowledged|expired|dropped|drop_oldest)$/.test(name))
  assert.ok(options.length > 10)
  for (const name of options) assert.match(types, new RegExp(`\\b${name}\\?:`), name)
})
