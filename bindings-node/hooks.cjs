// What a client calls on the way to its broker: hooks, the authenticator, `beforeConnect` and the signer; behind no message handler.
'use strict'

const { bytesOf, clientOptionsOf, isObject, named, refuse } = require('./arguments.cjs')
const { MqttError, guarded, shownThrown } = require('./errors.cjs')

/** What can be put on our answer to a packet. */
const WORDS = ['reasonString', 'userProperties']

/** What an authenticator can answer. */
const ANSWER = ['data', ...WORDS]

/** The functions that are asked, beside hooks. */
const ASKED = ['authenticator', 'beforeConnect', 'signer']

/** The hooks of a client and what else it asks. Each answers when what it returned has ended; none waits for another. */
class Hooks {
  #hooks = new Map()
  #asked = {}

  /** From the options of a client: `hooks`, and the functions that are asked. */
  constructor(hooks, asked) {
    if (!isObject(hooks ?? {})) refuse('hooks', 'an object', hooks)
    for (const [name, hook] of Object.entries(hooks ?? {})) {
      if (typeof hook === 'function') this.#hooks.set(name, hook)
      else if (hook !== undefined && hook !== null) refuse(`hook ${name}`, 'a function', hook)
    }
    for (const name of ASKED) {
      const given = asked[name] ?? undefined
      if (given !== undefined && typeof given !== 'function') refuse(name, 'a function', given)
      this.#asked[name] = given
    }
  }

  /** The names of the hooks there are. */
  get names() {
    return [...this.#hooks.keys()]
  }

  /** Which of the functions that are asked there are. */
  get asks() {
    return Object.fromEntries(ASKED.map((name) => [name, this.#asked[name] !== undefined]))
  }

  /** Calls them for all that waits for them. The client is `native`, its `waits`, how to `log`, and the `receiptOf` a number. */
  call(client) {
    if (this.#hooks.size === 0 && !Object.values(this.asks).includes(true)) return
    for (const each of client.native.takeHooks()) client.waits.handle(() => this.#callFor(each, client))
  }

  #callFor(each, client) {
    if ('hook' in each) return this.#show(each, client)
    if ('stage' in each) return this.#authenticate(each, client)
    return 'scheme' in each ? this.#sign(each, client) : this.#prepare(each, client)
  }

  async #show({ hook, number, tag, ...seen }, { native, receiptOf, log }) {
    // For most packets there is nothing to answer.
    const answer = (words) => number !== 0 && untilClosed(() => native.answer(number, words))
    const packet = { ...seen, packetId: seen.packetId ?? null, receipt: receiptOf(tag) }
    try {
      const words = await this.#hooks.get(hook)(packet)
      answer(number === 0 ? undefined : wordsOf(words))
    } catch (thrown) {
      log({ level: 'error', text: `a hook of ${packet.packet} failed: ${shownThrown(thrown)}` })
      answer(undefined)
    }
  }

  async #authenticate({ number, ...asked }, { native }) {
    try {
      const { data, ...words } = answerOf(await this.#asked.authenticator({ ...asked, data: asked.data ?? null }))
      untilClosed(() => native.authenticate(number, bytesOf(data), words))
    } catch (thrown) {
      untilClosed(() => native.refuseAuthentication(number, whyOf(thrown)))
    }
  }

  async #prepare({ number, url, attempt }, { native }) {
    try {
      const said = saidOf(await this.#asked.beforeConnect({ url, number: attempt }))
      untilClosed(() => native.prepare(number, said))
    } catch (thrown) {
      untilClosed(() => native.refuseAttempt(number, whyOf(thrown)))
    }
  }

  async #sign({ number, scheme, message }, { native }) {
    try {
      const signature = bytesOf(await this.#asked.signer(scheme, message))
      guarded(() => native.sign(number, signature))
    } catch (thrown) {
      native.refuseSignature(number, whyOf(thrown))
    }
  }
}

/** A closed client answers nothing any more, and nobody asks it to. */
function untilClosed(call) {
  try {
    guarded(call)
  } catch (error) {
    if (error.code !== 'ERR_MQTT_CLOSED') throw error
  }
}

/** What a hook returned, as words for our answer. */
function wordsOf(returned) {
  if (returned === undefined || returned === null) return undefined
  if (!isObject(returned)) refuse('what a hook returns', 'an object with reasonString and userProperties, or undefined', returned)
  return named(returned, WORDS)
}

/** What the authenticator returned, as an object with data and words. */
function answerOf(returned) {
  const isData = !isObject(returned) || ArrayBuffer.isView(returned) || bytesOf(returned) !== returned
  return isData ? { data: returned } : named(returned, ANSWER)
}

/** What `beforeConnect` returned, as options. */
function saidOf(returned) {
  if (isObject(returned ?? {})) return clientOptionsOf(returned ?? {})
  // Without the value, which may well be a secret in the wrong place.
  const given = Array.isArray(returned) ? 'a list' : `a ${typeof returned}`
  throw new MqttError('ERR_MQTT_INVALID_ARGUMENT', `what beforeConnect returns must be an object of options, or undefined, not ${given}`)
}

/** Why a function refuses: what it threw, in words. */
function whyOf(thrown) {
  try {
    if (typeof thrown?.message === 'string') return thrown.message
  } catch {
    // It cannot be asked.
  }
  return shownThrown(thrown)
}

module.exports = { Hooks }
