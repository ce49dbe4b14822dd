// A program that uses the installed packages by `import`, and has the same objects as one that uses `require`.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

import leveret, { connect, MqttError } from 'leveret'
import { Broker } from 'leveret/testing'

const require = createRequire(import.meta.url)
assert.equal(require('leveret').MqttError, MqttError)
assert.equal(leveret.connect, connect)
assert.equal(require('leveret/package.json').version, leveret.version)

const broker = new Broker()
const client = connect(broker.url)
const messages = client.subscription('doors/#')
assert.equal((await client.publish('doors/front', 'open')).status, 'acknowledged')
assert.equal((await messages.next()).value.topic, 'doors/front')
await client.close()
broker.close()
