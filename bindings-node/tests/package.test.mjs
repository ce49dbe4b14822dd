// The package as installed: its version is the workspace's, `import` and `require` give the same objects.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'

import * as imported from '../index.mjs'

const required = createRequire(import.meta.url)('../index.cjs')
const root = new URL('../../', import.meta.url)

test("the version is the workspace's", () => {
  const workspace = readFileSync(new URL('Cargo.toml', root), 'utf8').match(/^version = "(.*)"$/m)[1]
  const manifest = JSON.parse(readFileSync(new URL('bindings-node/package.json', root), 'utf8'))
  assert.equal(imported.version, workspace)
  assert.equal(manifest.version, workspace)
})

test('import names everything that require gives', () => {
  for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name)
})
