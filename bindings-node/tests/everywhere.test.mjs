// A good guest: every verb of a client works inside everything that leveret calls, and on a closed client.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { Client, clients } from '../index.mjs'
import { brokerFor, clientFor, error, gate, LIMIT, offline } from './common.mjs'
import { membersOf, named, VERBS } from './verbs.mjs'

const verbs = Reflect.ownKeys(VERBS).map((name) => ({ name, ...VERBS[name] }))

/** What leveret calls: how to get `inside` called there. Begins with a client that has just been made. */
const PLACES = {
  'a handler': async ({ client, inside }) => {
    await client.subscribe('trigger', inside)
    client.publish('trigger')
  },
  'a message listener': async ({ client, inside }) => {
    client.on('message', inside)
    await client.subscribe('trigger')
    client.publish('trigger')
  },
  'an iterator': async ({ client, inside }) => {
    const messages = client.subscription('trigger')
    client.publish('trigger')
    for await (const message of messages) inside(message)
  },
  'an online listener': ({ client, inside }) => client.on('online', inside),
  'an offline listener': async ({ client, inside }) => {
    client.on('offline', inside)
    await client.waitFor('online')
    client.reconnect()
  },
  'a connection listener': ({ client, inside }) => client.on('connection', inside),
  'a status listener': ({ client, inside }) => client.on('status', inside),
  'a subscription listener': ({ client, inside }) => {
    client.on('subscription', inside)
    client.subscribe('trigger', () => {})
  },
  'a notice listener': async ({ client, other, inside }) => {
    client.on('notice', inside)
    await client.subscribe('trigger')
    other.publish('trigger', Buffer.alloc(2_000))
  },
  'a ping listener': async ({ client, inside }) => {
    client.on('ping', inside)
    await client.waitFor('online')
    await client.ping()
  },
  'a drain listener': async ({ client, inside }) => {
    client.on('drain', inside)
    await client.waitFor('online')
    assert.throws(() => client.publishMany(Array(1_000).fill(['trigger', 'x'])), error('QUEUE_FULL'))
  },
  'a log listener': ({ client, inside }) => client.on('log', inside),
  'a closed listener': ({ client, inside }) => {
    client.on('closed', inside)
    client.close()
  },
  'a listener for all clients': ({ client, inside, t }) => {
    const mine = (status, its) => its === client && inside()
    clients.on('status', mine)
    t.after(() => clients.off('status', mine))
  },
  'what waits for a receipt': ({ client, inside }) => client.publish('trigger').then(inside),
  'an abort listener': async ({ client, inside }) => {
    const controller = new AbortController()
    controller.signal.addEventListener('abort', inside)
    await client.waitFor('online')
    const waiting = client.messages({ signal: controller.signal }).next()
    controller.abort(new Error('given up'))
    await assert.rejects(waiting, /given up/)
  },
}

/** One style calls all at once and waits for none of them; the other waits for each in turn. */
const STYLES = {
  'all at once': (calls) => Promise.all(calls.map((call) => call())),
  'one after another': async (calls) => {
    for (const call of calls) await call()
  },
}

/** What a verb comes to: it settles, and an error is one of ours, or the reason of a signal. */
async function settled({ name, call }, client, receipt) {
  try {
    await call(client, receipt)
  } catch (thrown) {
    assert.ok(/^ERR_MQTT_/.test(thrown.code) || thrown.name === 'TimeoutError', `${String(name)}: ${thrown?.stack}`)
  }
}

for (const [place, arrange] of Object.entries(PLACES)) {
  for (const [style, run] of Object.entries(STYLES)) {
    test(`every verb inside ${place}, ${style}`, { timeout: 2 * LIMIT }, async (t) => {
      const broker = brokerFor(t, { protocol: '3.1.1' })
      const client = clientFor(t, broker.url, { maxPacketSize: 1024, maxQueuedMessages: 100 })
      const other = clientFor(t, broker.url)
      const receipt = client.publish('before')
      const [done, closed] = [gate(), gate()]
      client.on('closed', closed.open)
      let calls = 0
      const inside = async () => {
        if (++calls > 1) return
        try {
          await run(verbs.filter(({ ends }) => !ends).map((verb) => () => settled(verb, client, receipt)))
          await run(verbs.filter(({ ends }) => ends).map((verb) => () => settled(verb, client, receipt)))
          done.open()
        } catch (thrown) {
          done.open(thrown)
        }
      }
      await arrange({ t, client, other, inside })
      assert.equal(await done.opened, undefined)
      await closed.opened
      assert.equal(client.status, 'closed')
      assert.notEqual(receipt.outcome, null, 'every receipt is settled')
    })
  }
}

test('no verb of a client and no event of the types is missing from these tables', () => {
  assert.deepEqual(membersOf(Client).filter((name) => !named().includes(name)), [])
  assert.deepEqual(named().filter((name) => !membersOf(Client).includes(name)), [])
  const types = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8')
  const events = /interface ClientEvents \{(.*?)\n\}/s.exec(types)[1].match(/^ {2}\w+(?=:)/gm).map((name) => name.trim())
  const missing = events.filter((name) => !Object.keys(PLACES).some((place) => place.includes(`${name} listener`)))
  assert.ok(events.length >= 11)
  assert.deepEqual(missing, [])
})

for (const { name, call, closed } of verbs) {
  test(`a closed client: ${String(name)} ${closed === undefined ? 'does nothing wrong' : 'says that it is closed'}`, async (t) => {
    const { client } = await offline(t)
    const receipt = client.publish('before')
    await client.close({ timeout: 0 })
    const called = (async () => call(client, receipt))()
    if (closed === undefined) await called
    else await assert.rejects(called, error(closed))
    assert.equal(client.status, 'closed')
  })
}
