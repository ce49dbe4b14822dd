// Hooks that are shown packets, and the authenticator: called as their packets come, behind no message handler.
'use strict'

const { bytesOf, isObject, named, refuse } = require('./arguments.cjs')
const { guarded, shownThrown } = require('./errors.cjs')

/** What can be put on our answer to a packet. */
const WORDS = ['reasonString', 'userProperties']

/** What an authenticator can answer. */
const ANSWER = ['data', ...WORDS]

/** The hooks of a client. Each answers when what it returned has ended; none waits for another. */
class Hooks {
  #hooks = new Map()
  #authenticator

  /** From the options `hooks` and `authenticator` of a client. */
  constructor(hooks, authenticator) {
    if (!isObject(hooks ?? {})) refuse('hooks', 'an object', hooks)
    if (!['function', 'undefined'].includes(typeof (authenticator ?? undefined))) refuse('authenticator', 'a function', authenticator)
    for (const [name, hook] of Object.entries(hooks ?? {})) {
      if (typeof hook === 'function') this.#hooks.set(name, hook)
      else if (hook !== undefined && hook !== null) refuse(`hook ${name}`, 'a function', hook)
    }
    this.#authenticator = authenticator ?? undefined
  }

  /** The names of the hooks there are. */
  get names() {
    return [...this.#hooks.keys()]
  }

  /** Is there an authenticator. */
  get authenticates() {
    return this.#authenticator !== undefined
  }

  /** Calls them for all that waits for them. The client is `native`, its `waits`, how to `log`, and the `receiptOf` a number. */
  call(client) {
    if (this.#hooks.size === 0 && !this.authenticates) return
    for (const each of client.native.takeHooks()) {
      const call = each.hook === undefined ? () => this.#authenticate(each, client) : () => this.#show(each, client)
      client.waits.handle(call)
    }
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
      const { data, ...words } = answerOf(await this.#authenticator({ ...asked, data: asked.data ?? null }))
      untilClosed(() => native.authenticate(number, bytesOf(data), words))
    } catch (thrown) {
      untilClosed(() => native.refuseAuthentication(number, whyOf(thrown)))
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

/** Why the authenticator refuses: what it threw, in words. */
function whyOf(thrown) {
  try {
    if (typeof thrown?.message === 'string') return thrown.message
  } catch {
    // It cannot be asked.
  }
  return shownThrown(thrown)
}

module.exports = { Hooks }
