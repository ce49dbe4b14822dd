// The client: what the native half has, as promises, events and async iterators.
'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { EventEmitter } = require('node:events')

const { MqttError, errorOf, guarded } = require('./errors.cjs')
const { Message } = require('./message.cjs')
const native = require('./native.cjs')
const { Outcome, Receipt } = require('./outcome.cjs')

/** How many messages cross from the native half at once. */
const BATCH = 256

/** The client whose handler is running, if any: what would wait for that very handler must not wait. */
const handling = new AsyncLocalStorage()

/**
 * An MQTT client with a post office. It begins to connect when it is made, in the background, and never gives up.
 *
 * Events: `message` (topic, payload, message), `online`, `offline`, `closed`, `connection`, `subscription`, `notice`, `log`, `drain`, `ping`.
 */
class Client extends EventEmitter {
  #native
  #receipts = new Map()
  #replies = new Map()
  #handlers = new Map()
  #nextHandler = 1
  // Those who wait for anything to change; each looks for itself after every ring of the bell.
  #waiting = new Set()
  #ahead = []
  #readingPaused = false
  #wantsDrain = false
  #running = false
  #again = false
  // The native half will bring nothing more.
  #over = false
  #ended
  #end

  constructor(url, options = {}) {
    super()
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
    const urls = Array.isArray(url) ? url : [url]
    const bell = () => this.#rung()
    this.#native = guarded(() => new native.NativeClient(urls, optionsOf(options), bell))
    this.on('newListener', (name) => name === 'message' && this.#native.handleGeneral(true))
    this.on('removeListener', (name) => {
      if (name === 'message' && this.listenerCount('message') === 0) this.#native.handleGeneral(false)
    })
  }

  // --- the connection ---

  /** `offline`, `online` or `closed`. */
  get status() {
    return this.#native.status()
  }

  /** Waits for the status; also if it came and went meanwhile. */
  waitFor(status, options = {}) {
    const seen = guarded(() => this.#native.statusCount(status))
    return this.#waitUntil(() => {
      if (this.status === status || this.#native.statusCount(status) > seen) return true
      if (this.status === 'closed') throw closed()
      return false
    }, options)
  }

  /** Hangs up politely and dials at once, also while offline: for a device that changed its network. */
  reconnect() {
    guarded(() => this.#native.reconnect())
  }

  /** Asks the broker for a sign of life; resolves with the round trip in milliseconds. */
  async ping(options = {}) {
    return this.#within(() => this.#reply(() => this.#native.ping()), options)
  }

  /** Where everything stands just now. */
  stats() {
    return guarded(() => this.#native.stats())
  }

  /**
   * Sends what waits, at most for `timeout` milliseconds, says goodbye and settles every receipt. The session ends if `cleanStart` was
   * true and is kept otherwise, unless `endSession` says which. Inside a handler it takes effect when the handler returns.
   */
  async close({ timeout, endSession } = {}) {
    const tag = guarded(() => this.#native.close(timeout, endSession))
    if (handling.getStore() === this) return
    await this.#answer(tag)
    await this.#ended
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  // --- letters ---

  /** Hands a letter to the post office and returns its receipt at once; `await` it for the outcome. Throws when it was not accepted. */
  publish(topic, payload = '', options = undefined) {
    const tag = this.#noteFull(() => this.#native.publish(topic, payload, options))
    return this.#receipt(tag)
  }

  /** Publishes several letters `[topic, payload]` with the same options in one crossing; returns their receipts in order. */
  publishMany(letters, options = undefined) {
    const tags = this.#noteFull(() => this.#native.publishMany(letters, options))
    return tags.map((tag) => this.#receipt(tag))
  }

  /** Is there room in the post office. */
  get writable() {
    return this.#native.writable()
  }

  /** Waits until the post office has room. */
  drain(options = {}) {
    return this.#waitUntil(() => guarded(() => this.#native.writable()), options)
  }

  /** Waits until every letter posted before is settled. */
  async flush(options = {}) {
    await this.#within(() => this.#reply(() => this.#native.flush()), options)
  }

  /** Takes a letter back; resolves with whether it was still there. */
  cancel(receipt) {
    return this.#reply(() => this.#native.cancel(receipt.tag))
  }

  /** Where the letter is and why, in a sentence. */
  async explain(receipt) {
    const told = receipt.outcome ?? (await this.#reply(() => this.#native.explain(receipt.tag))) ?? receipt.outcome
    return told instanceof Outcome ? `settled: ${told}` : String(told)
  }

  // --- messages ---

  /**
   * Declares one or several topic filters and waits for the broker's answer; resolves with the granted QoS of each. Messages go to
   * `handler`, or without one to `message` listeners and `messages()`. A refusal rejects with ERR_MQTT_REFUSED and hurts only that filter.
   */
  async subscribe(filters, options = {}, handler = undefined) {
    if (typeof options === 'function') [options, handler] = [{}, options]
    const list = filtersOf(filters, options)
    const number = handler === undefined ? 0 : this.#nextHandler++
    if (number !== 0) this.#handlers.set(number, handler)
    return this.#reply(() => this.#native.subscribe(list, number))
  }

  /** Takes declared filters back and waits for the broker's answer. */
  async unsubscribe(filters) {
    await this.#reply(() => this.#native.unsubscribe(Array.isArray(filters) ? filters : [filters]))
  }

  /**
   * The messages that have no handler of their own, one after another, until the client is closed. A message is acknowledged when the
   * next one is asked for or the loop ends.
   */
  async *messages() {
    for (;;) {
      const delivery = await this.#nextGeneral()
      if (delivery === null) return
      try {
        yield new Message(delivery, this.#native)
      } finally {
        this.#native.done(delivery.id, true)
      }
    }
  }

  // --- waiting ---

  #receipt(tag) {
    const receipt = new Receipt(tag, (settled, options) => this.#within(settled, options))
    this.#receipts.set(tag, receipt)
    return receipt
  }

  #noteFull(publish) {
    try {
      return guarded(publish)
    } catch (error) {
      if (error.code === 'ERR_MQTT_QUEUE_FULL') this.#wantsDrain = true
      throw error
    }
  }

  async #reply(ask) {
    return this.#answer(guarded(ask))
  }

  #answer(tag) {
    return new Promise((resolve, reject) => this.#replies.set(tag, { resolve, reject }))
  }

  async #waitUntil(come, options) {
    while (!come()) await this.#within(() => this.#nextRing(), options)
  }

  #nextRing() {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  /** Waits for what `begin` promises: within a timeout, until a signal, and never inside a handler that would have to end first. */
  async #within(begin, { timeout, signal } = {}) {
    const inHandler = handling.getStore() === this
    if (inHandler && this.#readingPaused) throw wouldDeadlock()
    signal?.throwIfAborted()
    const promise = begin()
    if (timeout === undefined && signal === undefined && !inHandler) return promise
    let clean = () => {}
    const guard = new Promise((_, reject) => {
      const timer = timeout === undefined ? undefined : setTimeout(() => reject(timedOut()), timeout)
      const abort = () => reject(signal.reason)
      signal?.addEventListener('abort', abort, { once: true })
      const stuck = () => reject(wouldDeadlock())
      if (inHandler) this.#stuck.add(stuck)
      clean = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#stuck.delete(stuck)
      }
    })
    return Promise.race([promise, guard]).finally(clean)
  }

  #stuck = new Set()

  // --- what the bell brings ---

  #rung() {
    for (const { tag, kind, value } of this.#native.reports()) {
      if (kind === 'outcome') {
        this.#receipts.get(tag)?.settle(new Outcome(value))
        this.#receipts.delete(tag)
      } else if (kind === 'paused') {
        this.#readingPaused = value
        if (value) for (const stuck of this.#stuck) stuck()
      } else if (kind === 'end') {
        this.#over = true
      } else if (kind !== 'status') {
        const waiting = this.#replies.get(tag)
        this.#replies.delete(tag)
        if (kind === 'error') waiting?.reject(errorOf(value))
        else waiting?.resolve(value)
      }
    }
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
    if (this.#wantsDrain && this.#native.status() !== 'closed' && this.#native.writable()) {
      this.#wantsDrain = false
      this.emit('drain')
    }
    this.#runHandlers()
  }

  /** Runs handlers one after another until nothing waits; a ring that comes meanwhile makes it look again. */
  async #runHandlers() {
    this.#again = true
    if (this.#running) return
    this.#running = true
    while (this.#again) {
      this.#again = false
      for (let items; (items = this.#native.take(false, BATCH)).length > 0; ) {
        for (const item of items) await handling.run(this, () => this.#runHandler(item))
      }
    }
    this.#running = false
    if (this.#over) this.#finish()
  }

  async #runHandler(item) {
    if (item.event !== undefined) return this.#tell(item)
    const message = new Message(item, this.#native)
    const handled = await this.#callHandlers(item.handlers, message)
    this.#native.done(item.id, (!item.general || (await this.#callGeneral(message))) && handled)
  }

  async #callHandlers(numbers, message) {
    let handled = true
    for (const number of numbers) {
      const handler = this.#handlers.get(number)
      if (handler !== undefined) handled = (await this.#call(() => handler(message), message.topic)) && handled
    }
    return handled
  }

  // EventEmitter ignores what listeners return, but the acknowledgement waits for it: they are called here.
  async #callGeneral(message) {
    let handled = true
    for (const listener of this.rawListeners('message')) {
      const call = () => listener.call(this, message.topic, message.payload, message)
      handled = (await this.#call(call, message.topic)) && handled
    }
    return handled
  }

  async #call(call, what) {
    try {
      await call()
      return true
    } catch (error) {
      this.#log('error', `a handler of ${what} failed: ${error?.stack ?? error}`)
      return false
    }
  }

  async #tell({ kind, event }) {
    if (event.error) event.error = errorOf(event.error)
    this.#log(levelOf(kind, event), textOf(kind, event))
    const names = kind === 'connection' ? ['connection', ...(event.kind === 'attempt_failed' ? [] : [event.kind])] : [kind]
    for (const name of names) {
      for (const listener of this.rawListeners(name)) await this.#call(() => listener.call(this, event), `${name} events`)
    }
  }

  #log(level, text) {
    for (const listener of this.rawListeners('log')) {
      try {
        listener.call(this, { level, text })
      } catch {
        // A logger that throws must not end the delivery of messages, and there is nobody left to tell.
      }
    }
  }

  async #nextGeneral() {
    for (;;) {
      if (this.#ahead.length > 0) return this.#ahead.shift()
      this.#ahead = this.#native.take(true, BATCH)
      if (this.#ahead.length > 0) continue
      if (this.#over) return null
      await this.#within(() => this.#nextRing())
    }
  }

  #finish() {
    for (const { reject } of this.#replies.values()) reject(closed())
    this.#replies.clear()
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
    this.#native.release()
    this.emit('closed')
    this.#end()
  }
}

const closed = () => new MqttError('ERR_MQTT_CLOSED', 'the client is closed')

const timedOut = () => new MqttError('ERR_MQTT_TIMED_OUT', 'it did not happen in the time given')

const wouldDeadlock = () =>
  new MqttError(
    'ERR_MQTT_WOULD_DEADLOCK',
    'the inbox is full: nothing more is read before this handler ends, so waiting in it would never end',
  )

/** The options with the parts of `will: {…}` under the names of the option table. */
function optionsOf({ will, ...options }) {
  if (will === undefined || will === null) return options
  for (const [name, value] of Object.entries(will)) options[`will${name[0].toUpperCase()}${name.slice(1)}`] = value
  return options
}

/** Each filter with its options; options for all hold where a filter has none of its own. */
function filtersOf(filters, options) {
  if (typeof filters === 'string') return [[filters, options]]
  if (Array.isArray(filters)) return filters.map((filter) => [filter, options])
  return Object.entries(filters).map(([filter, own]) => [filter, { ...options, ...own }])
}

function levelOf(kind, event) {
  if (kind === 'connection') return event.kind === 'online' ? 'info' : 'warn'
  if (kind === 'subscription') return event.state === 'up' || event.state === 'down' ? 'info' : 'warn'
  return 'warn'
}

function textOf(kind, event) {
  if (kind === 'subscription') return `subscription ${JSON.stringify(event.filter)}: ${event.state}`
  if (kind !== 'connection') return event.text
  if (event.kind === 'online') return `online, MQTT ${event.version}, session present: ${event.sessionPresent}`
  if (event.kind === 'offline') return `offline: ${event.error.message}`
  return `could not connect: ${event.error.message}; next attempt in ${event.retryIn} ms`
}

/** Makes a client and begins to connect. */
const connect = (url, options) => new Client(url, options)

module.exports = { Client, connect }
