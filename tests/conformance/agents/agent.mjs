// The agent of Node; see PROTOCOL.md.
import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { createInterface } from 'node:readline'

import { connect, shutdown } from '../../../bindings-node/index.mjs'
import { Broker } from '../../../bindings-node/testing.mjs'

const brokers = new Map()
const clients = new Map()
const receipts = new Map()
const recorders = new Map()

// --- arguments and answers ---

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
const textOptions = new Set(['reason_string', 'client_id', 'protocol', 'replace', 'will_topic', 'username', 'password', 'correlation_data', 'will_payload', 'will_correlation_data'])

/** Options as a Node program would give them: durations and choices are text, flags, numbers and pairs are not. */
function typed(options) {
  const typedOf = (name, value) => {
    if (value === 'true' || value === 'false') return value === 'true'
    if (value === 'none') return null
    if (name.endsWith('user_properties') || name === 'websocket_headers') return value.split(';').map((pair) => pair.split(':'))
    return !textOptions.has(name) && /^\d+$/.test(value) ? Number(value) : value
  }
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), typedOf(name, value)]))
}

/** Bytes that tell their own place. */
function pattern(size) {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, i) => i)))
}

/** Takes the payload out of a request, given by value or by size. */
function bodyOf(options) {
  const { size, payload = '', ...rest } = options
  return [size === undefined ? payload : pattern(Number(size)), rest]
}

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** MQTT 5 properties by the names of the standard; lists stand as repeated names. */
function propertyPairs(properties = {}) {
  const textOf = (value) => (Array.isArray(value) ? value.join(':') : value.toString())
  return Object.entries(properties).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => [snake(name), textOf(each)]),
  )
}

function messagePairs({ topic, payload, qos, retain, dup, properties }) {
  const body =
    payload.length > 256
      ? [['size', payload.length], ['intact', payload.equals(pattern(payload.length))]]
      : [['payload', payload.toString()]]
  return [['topic', topic], ...body, ['qos', qos], ['retain', retain], ['dup', dup], ...propertyPairs(properties)]
}

const listPairs = (items, pairsOf) => [['count', items.length], ...items.flatMap(pairsOf)]

function outcomePairs({ status, ok, delivered, maybeDelivered, reason, reasonString, userProperties }) {
  const pairs = [['status', status], ['ok', ok], ['delivered', delivered], ['maybe_delivered', maybeDelivered]]
  if (reason !== null) pairs.push(['reason', reason])
  if (reasonString !== null) pairs.push(['reason_string', reasonString])
  return [...pairs, ...userProperties.map((pair) => ['user_property', pair.join(':')])]
}

/** The error's name in the table, `QueueFull` of ERR_MQTT_QUEUE_FULL. */
function kindOf(error) {
  const words = error.code.slice('ERR_MQTT_'.length).toLowerCase().split('_')
  return words.map((word) => word[0].toUpperCase() + word.slice(1)).join('')
}

const reasonPairs = (reason) => (reason === undefined || reason === null ? [] : [['reason', reason]])

/** What a reply says of a packet that a hook was shown. */
function packetPairs({ packet, packetId, reason, reasons, sessionPresent, properties }) {
  const list = packet === 'SUBACK' || packet === 'UNSUBACK'
  return [
    ['packet', packet],
    ...(packetId === null ? [] : [['packet_id', packetId]]),
    list ? ['reasons', reasons.join(',')] : ['reason', reason],
    ...(packet === 'CONNACK' ? [['session_present', sessionPresent]] : []),
    ...propertyPairs(properties),
  ]
}

const stepPairs = ({ stage, reauthentication, data }) => [['stage', stage], ['reauthentication', reauthentication], ...(data === null ? [] : [['data', data]])]

const attemptPairs = ({ url, number }) => [['url', url], ['number', number]]

/** What a reply says of an event, by its kind. */
const eventPairs = {
  connection({ kind, sessionPresent, version, clientId, properties, retryIn, error }) {
    if (kind === 'online') {
      return [['event', kind], ['session_present', sessionPresent], ['version', version], ['client_id', clientId], ...propertyPairs(properties)]
    }
    const retry = retryIn === undefined ? [] : [['retry_in', Math.round(retryIn)]]
    return [['event', kind], ...retry, ['error', kindOf(error)], ...reasonPairs(error.reason), ['text', error.message], ...propertyPairs(properties)]
  },
  subscription: ({ state, filter, reason }) => [['event', state], ['filter', filter], ...reasonPairs(reason)],
  status: (status) => [['event', status]],
  ping: (milliseconds) => [['event', 'ping'], ['microseconds', Math.round(milliseconds * 1000)]],
  notice: ({ kind, text }) => [['event', kind], ['text', text]],
}

// --- recorders ---

/** Keeps what it is called with, for a reader that waits for a number of things. */
class Recorder {
  items = []
  unacknowledged = []
  /** To be answered. */
  last = undefined
  /** What a call waits for before it ends. */
  held = undefined
  /** Calls throw from now on. */
  failing = false
  #changed = () => {}

  record = (item) => {
    this.items.push(item)
    this.unacknowledged.push(item)
    this.last = item
    this.#changed()
    if (this.failing) throw new Error('the scenario wants this handler to fail')
    return this.held?.promise
  }

  async until(enough, timeout) {
    const deadline = Date.now() + timeout
    while (!enough(this.items) && Date.now() < deadline) {
      await new Promise((resolve) => {
        this.#changed = resolve
        setTimeout(resolve, Math.max(0, deadline - Date.now()))
      })
    }
    return enough(this.items)
  }

  async take(count, timeout) {
    if (!(await this.until((items) => items.length >= count, timeout))) {
      throw Object.assign(new Error(`${this.items.length} of ${count} came`), { code: 'ERR_MQTT_TIMED_OUT' })
    }
    return this.items.splice(0, count)
  }
}

function recorder(client, handler) {
  const key = `${client} ${handler}`
  if (!recorders.has(key)) recorders.set(key, new Recorder())
  return recorders.get(key)
}

// --- verbs ---

const receiptOf = (client, receipt) => receipts.get(`${client} ${receipt}`)

async function publishWithRoom(client, ...letter) {
  for (;;) {
    try {
      return client.publish(...letter)
    } catch (error) {
      if (error.code !== 'ERR_MQTT_QUEUE_FULL') throw error
      await client.drain()
    }
  }
}

/** What a service answers: `re:` and the payload; nothing where that is "nothing"; "fail" fails. */
async function served({ payload }) {
  const text = payload.toString()
  if (text === 'fail') throw new Error('the scenario wants this handler to fail')
  return text === 'nothing' ? undefined : `re:${text}`
}

/** Hooks that record what they are shown; those of PUBREC and PUBREL say what the scenario wants, or never answer. */
function hooksOf(client, { hooks, hook_says: text, hook_holds: holds }) {
  if (hooks === undefined) return undefined
  const words = text === undefined ? undefined : { reasonString: text, userProperties: { hook: text } }
  const hook = (packet) => {
    recorder(client, 'packets').record(packet)
    if (!['PUBREC', 'PUBREL'].includes(packet.packet)) return undefined
    return holds === 'true' ? new Promise(() => {}) : words
  }
  return Object.fromEntries(hooks.split(',').map((name) => [name, hook]))
}

/** An authenticator that records its steps and answers these words in turn, or refuses where they say so. */
function authenticatorOf(client, answers) {
  if (answers === undefined) return undefined
  const list = answers.split(',')
  let turn = 0
  return async (step) => {
    recorder(client, 'steps').record(step)
    if (step.stage === 'finish') return undefined
    const answer = list[turn++ % list.length]
    if (answer === 'refuse') throw new Error('the scenario wants this step to be refused')
    return answer
  }
}

/** A function that records the attempts it is asked about, and answers them in turn as the scenario wants. */
function beforeConnectOf(client, answers, options) {
  const said = Object.entries(options).filter(([name]) => name.startsWith('said_'))
  for (const [name] of said) delete options[name]
  if (answers === undefined) return undefined
  const list = answers.split(',')
  let turn = 0
  return async (attempt) => {
    recorder(client, 'attempts').record(attempt)
    const answer = list[turn++ % list.length]
    if (answer === 'hold') return new Promise(() => {})
    if (answer === 'refuse') throw new Error('the scenario wants it so')
    if (answer === 'fail') throw new TypeError('it failed')
    return typed(Object.fromEntries(said.map(([name, value]) => [name.slice('said_'.length), value.replaceAll('{n}', turn)])))
  }
}

/** What signs with the program openssl and the key in this file. */
function signerOf(key) {
  if (key === undefined) return undefined
  return async (scheme, message) => {
    if (key === 'refuse') throw new Error('the element is locked')
    if (scheme !== 'ecdsa_secp256r1_sha256') throw new Error(`cannot sign with ${scheme}`)
    const openssl = spawn('openssl', ['dgst', '-sha256', '-sign', key])
    openssl.stdin.end(message)
    return buffer(openssl.stdout)
  }
}

const verbs = {
  shutdown: () => shutdown(),
  hello: () => [['language', 'node'], ['version', process.version]],

  broker_new({ broker, ...options }) {
    const made = new Broker(typed(options))
    brokers.set(broker, made)
    const pems = [['ca_pem', made.caPem], ['client_cert_pem', made.clientCertPem], ['client_key_pem', made.clientKeyPem]]
    return [['url', made.url], ...pems.filter(([, pem]) => pem !== null)]
  },
  broker_stop: ({ broker, forget }) => brokers.get(broker).stop({ forget: forget === 'true' }),
  broker_start: ({ broker }) => brokers.get(broker).start(),
  broker_close: ({ broker }) => brokers.get(broker).close(),
  broker_show_certificate: ({ broker, certificate }) => brokers.get(broker).showCertificate(certificate),
  broker_swallow: ({ broker, packet, count }) => brokers.get(broker).swallow(packet, Number(count)),
  async broker_received({ broker, count = '0', timeout = '0' }) {
    await brokers.get(broker).waitReceived(Number(count), { timeout: Number(timeout) })
    return listPairs(brokers.get(broker).received, messagePairs)
  },

  connect({ client, url, hooks, hook_says, hook_holds, authenticator, before_connect, signer, ...options }) {
    const calls = {
      hooks: hooksOf(client, { hooks, hook_says, hook_holds }),
      authenticator: authenticatorOf(client, authenticator),
      beforeConnect: beforeConnectOf(client, before_connect, options),
      signer: signerOf(signer),
    }
    const made = connect(url, { ...typed(options), ...calls })
    clients.set(client, made)
    made.on('message', (topic, payload, message) => recorder(client, '').record(message))
    for (const kind of Object.keys(eventPairs)) made.on(kind, recorder(client, `events/${kind}`).record)
  },
  wait: ({ client, status, timeout }) => clients.get(client).waitFor(status, { timeout: Number(timeout) }),
  status: ({ client }) => [['status', clients.get(client).status]],
  reconnect: ({ client }) => clients.get(client).reconnect(),
  ping: async ({ client }) => [['microseconds', Math.round((await clients.get(client).ping({ timeout: 5000 })) * 1000)]],
  stats({ client }) {
    const numbers = Object.entries(clients.get(client).stats()).filter(([, value]) => ['number', 'string'].includes(typeof value))
    return numbers.map(([name, value]) => [snake(name), value])
  },
  reauthenticate: ({ client, timeout }) => clients.get(client).reauthenticate({ timeout: Number(timeout) }),
  async packets({ client, count, timeout }) {
    return listPairs(await recorder(client, 'packets').take(Number(count), Number(timeout)), packetPairs)
  },
  async steps({ client, count, timeout }) {
    return listPairs(await recorder(client, 'steps').take(Number(count), Number(timeout)), stepPairs)
  },
  async attempts({ client, count, timeout }) {
    return listPairs(await recorder(client, 'attempts').take(Number(count), Number(timeout)), attemptPairs)
  },
  close: ({ client, ...options }) => clients.get(client).close(typed(options)),
  free: ({ client }) => void clients.delete(client),

  publish({ client, receipt = '', topic, ...options }) {
    const [payload, rest] = bodyOf(options)
    receipts.set(`${client} ${receipt}`, clients.get(client).publish(topic, payload, typed(rest)))
  },
  async burst({ client, receipt, count, topic, prefix, ...options }) {
    for (let i = 0; i < Number(count); i++) {
      // The receipt stands in an object, for a receipt that an async function returns would be awaited.
      const posted = await publishWithRoom({ publish: (...letter) => [clients.get(client).publish(...letter)], drain: () => clients.get(client).drain() }, topic, `${prefix}${i}`, typed(options))
      receipts.set(`${client} ${receipt}${i}`, posted[0])
    }
  },
  publish_many({ client, receipt, count, topic, prefix, ...options }) {
    const letters = Array.from({ length: Number(count) }, (_, i) => [topic, `${prefix}${i}`])
    const keep = (posted) => posted.forEach((each, i) => receipts.set(`${client} ${receipt}${i}`, each))
    try {
      keep(clients.get(client).publishMany(letters, typed(options)))
    } catch (error) {
      keep(error.receipts ?? [])
      throw error
    }
  },
  async request({ client, topic, timeout, ...options }) {
    const [payload, rest] = bodyOf(options)
    const limit = timeout === undefined ? {} : { timeout: Number(timeout) }
    return messagePairs(await clients.get(client).request(topic, payload, { ...typed(rest), ...limit }))
  },
  serve({ client, filter, response_topic: responseTopic, ...options }) {
    clients.get(client).serve(filter, { ...typed(options), responseTopic }, served).catch(() => {})
  },
  respond({ client, handler = '', topic, ...options }) {
    const [payload, rest] = bodyOf(options)
    recorder(client, handler).last.respond(payload, { ...typed(rest), topic })
  },
  async outcome({ client, receipt, timeout }) {
    return outcomePairs(await receiptOf(client, receipt).wait({ timeout: Number(timeout) }))
  },
  async raise({ client, receipt, timeout }) {
    return outcomePairs((await receiptOf(client, receipt).wait({ timeout: Number(timeout) })).throwForStatus())
  },
  async outcomes({ client, receipt, count, timeout }) {
    const signal = AbortSignal.timeout(Number(timeout))
    const counts = new Map()
    for (let i = 0; i < Number(count); i++) {
      const { status } = await receiptOf(client, `${receipt}${i}`).wait({ signal })
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
    return [...counts]
  },
  cancel: async ({ client, receipt }) => [['cancelled', await clients.get(client).cancel(receiptOf(client, receipt))]],
  explain: async ({ client, receipt }) => [['text', await clients.get(client).explain(receiptOf(client, receipt))]],
  flush: ({ client, timeout }) => clients.get(client).flush({ timeout: Number(timeout) }),
  drain: ({ client, timeout }) => clients.get(client).drain({ timeout: Number(timeout) }),

  async subscribe({ client, filter, handler, ...options }) {
    const record = handler === undefined ? undefined : recorder(client, handler).record
    const granted = await clients.get(client).subscribe(filter, typed(options), record)
    return granted.map((qos) => ['granted', qos])
  },
  declare({ client, filter, handler, ...options }) {
    const record = recorder(client, handler).record
    clients.get(client).subscribe(filter, typed(options), record).catch(() => {})
  },
  unsubscribe: async ({ client, filter, ...options }) => {
    await clients.get(client).unsubscribe(filter, typed(options))
  },
  async messages({ client, handler = '', count, timeout }) {
    return listPairs(await recorder(client, handler).take(Number(count), Number(timeout)), messagePairs)
  },
  hold({ client, handler = '' }) {
    const kept = recorder(client, handler)
    kept.held = {}
    kept.held.promise = new Promise((resolve) => (kept.held.resolve = resolve))
  },
  release({ client, handler = '' }) {
    const kept = recorder(client, handler)
    kept.held?.resolve()
    kept.held = undefined
  },
  fail: ({ client, handler = '' }) => void (recorder(client, handler).failing = true),
  ack: ({ client, handler = '', ...options }) => recorder(client, handler).unacknowledged.shift().ack(typed(options)),
  async tally({ client, handler = '', distinct, timeout }) {
    const counted = (items) => {
      const counts = new Map()
      for (const { payload } of items) counts.set(payload.toString(), (counts.get(payload.toString()) ?? 0) + 1)
      return counts
    }
    const kept = recorder(client, handler)
    await kept.until((items) => items.length >= Number(distinct) && counted(items).size >= Number(distinct), Number(timeout))
    const counts = counted(kept.items)
    return [['distinct', counts.size], ['doubled', [...counts.values()].filter((count) => count > 1).length]]
  },
  async events({ client, kind, count, timeout }) {
    const taken = await recorder(client, `events/${kind}`).take(Number(count), Number(timeout))
    return listPairs(taken, eventPairs[kind])
  },
}

// --- the line protocol ---

const lineOf = (first, pairs) => [first, ...pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)].join(' ')

function failureOf(error) {
  if (!error.code?.startsWith('ERR_MQTT_')) throw error
  return lineOf('error', [['kind', kindOf(error)], ...reasonPairs(error.reason), ['text', error.message]])
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = line.split(' ')
  const pairs = words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
  const request = Object.fromEntries(pairs.map((pair) => pair.map(decodeURIComponent)))
  const answer = await new Promise((resolve) => resolve(verbs[verb](request))).then((told) => lineOf('ok', told ?? []), failureOf)
  process.stdout.write(`${answer}\n`)
}
for (const client of clients.values()) await client.close({ timeout: 0 })
for (const broker of brokers.values()) broker.close()
