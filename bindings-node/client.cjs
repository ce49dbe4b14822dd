// The client: what the native half has, as promises, events and async iterators.
'use strict'

const { EventEmitter } = require('node:events')
// Not the global ones, which tests replace to stop the time: the network does not stop.
const { clearInterval, setImmediate, setInterval } = require('node:timers')

const { clientOptionsOf, filtersOf, lettersOf, named, objectOf, optionsOf, payloadOf, refuse } = require('./arguments.cjs')
const { enriched, errorOf, guarded, plainError, shownThrown } = require('./errors.cjs')
const { Handlers } = require('./handlers.cjs')
const { Hooks } = require('./hooks.cjs')
const { Message } = require('./message.cjs')
const { Messages } = require('./messages.cjs')
const native = require('./native.cjs')
const { eventsOf, lineOf } = require('./news.cjs')
const { Outcome, Receipt } = require('./outcome.cjs')
const { serving } = require('./serving.cjs')
const { LIMITS, Waits, milliseconds } = require('./waits.cjs')

/** How many messages cross from the native half at once. */
const BATCH = 256

/** The queue for handlers, and that of the iterators without filters. */
const [HANDLERS, GENERAL] = [0, 1]

/** The longest interval that Node knows: a handle that does nothing but keep the event loop alive. */
const FOREVER = 2 ** 31 - 1

/**
 * The `status` and `ping` events of all clients of this thread, with the client as second argument. Worker threads have one each.
 */
const clients = new EventEmitter()
const OF_ALL = ['status', 'ping']

/**
 * An MQTT client with a post office. It begins to connect in the background when the code that made it has run, and never gives up.
 *
 * Events: `message` (topic, payload, message), `online`, `offline`, `closed`, `connection`, `status`, `subscription`,
 * `notice`, `ping`, `drain`, `log`. There is no `error` event: nothing a broker does throws into the program.
 */
class Client extends EventEmitter {
  #native
  #waits = new Waits()
  #handlers = new Handlers()
  #hooks
  #receipts = new Map()
  #replies = new Map()
  // Taken from the native half, and not handled yet.
  #batch = []
  // For general listeners that were gone when their turn came.
  #stranded = []
  #taker = 'nobody'
  #iterators = 0
  // A letter was refused offline for want of room, and nothing has changed since. Online the native half knows.
  #full = false
  #wantsDrain = false
  #running = false
  #again = false
  // Keeps the event loop alive until the client is closed, unless the user lets it go.
  #alive = null
  // The native half will bring nothing more; and everybody has been told.
  #over = false
  #finished = false
  #ended
  #end

  constructor(url, options = {}) {
    super()
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
    const urls = Array.isArray(url) ? url : [url]
    const { hooks, authenticator, beforeConnect, signer, ...own } = objectOf(options)
    this.#hooks = new Hooks(hooks, { authenticator, beforeConnect, signer })
    const { names, asks } = this.#hooks
    const bell = () => this.#rung()
    this.#native = guarded(() => new native.NativeClient(urls, clientOptionsOf(own), names, asks, bell))
    this.#alive = setInterval(() => {}, FOREVER)
    // What is declared in the same turn as the client takes part from the first message on, which a kept session may have waiting.
    Promise.resolve().then(() => this.#start())
  }

  #start() {
    try {
      this.#native.start()
    } catch {
      // It was closed at once.
    }
  }

  // --- the connection ---

  /** `offline`, `online` or `closed`. */
  get status() {
    return this.#native.status()
  }

  /** Waits for the status; also if it came and went meanwhile. */
  async waitFor(status, options) {
    const seen = guarded(() => this.#native.statusCount(status))
    await this.#waits.until(() => {
      // Looked at once: it may change at any moment.
      const now = this.status
      if (now === status || this.#native.statusCount(status) > seen) return true
      if (now === 'closed') throw plainError('ERR_MQTT_CLOSED')
      if (status !== 'online') this.#waits.refuseBehindClose()
      return false
    }, options)
  }

  /** Hangs up politely and dials at once, also while offline: for a device that changed its network. */
  reconnect() {
    guarded(() => this.#native.reconnect())
  }

  /** Asks the broker for a sign of life; resolves with the round trip in milliseconds. */
  async ping(options) {
    return this.#ask(() => this.#native.ping(), options)
  }

  /** Where everything stands just now. */
  stats() {
    return this.#native.stats()
  }

  /** Authenticates once more on the connection that is up (MQTT 5, 4.12.1), with the authenticator if there is one. */
  async reauthenticate(options) {
    await this.#ask(() => this.#native.reauthenticate(), options)
  }

  /**
   * Sends what waits, at most for `timeout`, says goodbye and settles every receipt. The session ends if `cleanStart` was true
   * and is kept otherwise, unless `endSession` says which. Messages that no handler has begun with are left to the broker. Inside
   * a handler it takes effect when the handler returns; once more does nothing. `signal` ends the wait, not the closing.
   */
  async close(options = {}) {
    const { signal, ...own } = objectOf(options)
    guarded(() => this.#native.checkClose(own))
    if (this.#over) return
    const close = () => void guarded(() => this.#native.close(own))
    if (this.#waits.inHandler) return this.#waits.closeAfterHandler(close)
    const closed = () => {
      // What was posted in the same turn as the client was made is to be sent, too.
      this.#start()
      close()
      return this.#ended
    }
    await this.#waits.within(closed, { signal })
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close()
  }

  /**
   * Lets the process end while this client is open, as `unref` of a socket does. The broker then sees the connection break, and publishes
   * the will. It ends with the process or with `close`, and not when the program lets go of it: its handlers are still to be called.
   */
  unref() {
    this.#alive?.unref()
    return this
  }

  /** Takes `unref` back: while this client is open it keeps the process alive. */
  ref() {
    this.#alive?.ref()
    return this
  }

  /** Does this client keep the process alive. */
  hasRef() {
    return this.#alive?.hasRef() ?? false
  }

  // --- letters ---

  /** Hands a letter to the post office and returns its receipt at once; `await` it for the outcome. Throws when it was not accepted. */
  publish(topic, payload = '', options = undefined) {
    try {
      return this.#receipt(this.#native.publish(topic, payloadOf(payload), optionsOf(options)))
    } catch (error) {
      throw this.#refused(enriched(error))
    }
  }

  /**
   * Publishes several letters `[topic, payload]` with the same options in one crossing; returns their receipts in order. Where not all
   * were accepted the error has the `receipts` of those that were: the first ones.
   */
  publishMany(letters, options = undefined) {
    const [topics, payloads] = lettersOf(letters)
    const { tags, error } = guarded(() => this.#native.publishMany(topics, payloads, optionsOf(options)))
    const receipts = tags.map((tag) => this.#receipt(tag))
    if (error !== undefined) throw this.#refused(errorOf(error, { receipts }))
    return receipts
  }

  /**
   * Publishes a letter that asks for a response; resolves with the message that is it. `timeout` is 10 s unless given, `null` as long as
   * it takes, and the letter lives no longer unless `ttl` says so. A `signal` gives the request up and takes the letter back.
   */
  async request(topic, payload = '', options = {}) {
    const { timeout, signal, ...own } = objectOf(options)
    let question
    const ask = () => {
      const body = payloadOf(payload)
      return this.#answer(() => (question = this.#native.request(topic, body, timeout, optionsOf(own))))
    }
    try {
      return this.#message(await this.#waits.within(ask, { signal }))
    } catch (error) {
      // Whatever ended the wait, nobody asks for this response again.
      if (question !== undefined) this.#forget(question)
      throw error
    }
  }

  /** Is there room in the post office. */
  get writable() {
    return !this.#over && this.#hasRoom(() => false)
  }

  /** Waits until the post office has room. */
  async drain(options) {
    await this.#waits.until(() => this.#hasRoom(), options)
  }

  /** Waits until every letter posted before is settled. */
  async flush(options) {
    await this.#ask(() => this.#native.flush(), options)
  }

  /** Takes a letter back; resolves with whether it was still there. */
  async cancel(receipt, options) {
    const tag = guarded(() => Receipt.tagOf(receipt, this.#waits))
    return receipt.outcome === null && this.#ask(() => this.#native.cancel(tag), options, { reads: false })
  }

  /** Where the letter is and why, in a sentence. */
  async explain(receipt, options) {
    const tag = guarded(() => Receipt.tagOf(receipt, this.#waits))
    const told = receipt.outcome ?? (await this.#ask(() => this.#native.explain(tag), options, { reads: false })) ?? (await receipt)
    return told instanceof Outcome ? `settled: ${told}` : told
  }

  // --- messages ---

  /**
   * Declares one or several topic filters and waits for the broker's answer; resolves with the granted QoS of each. Messages go to
   * `handler`, or without one to `message` listeners or `messages()`. A refusal rejects with ERR_MQTT_REFUSED and hurts only that filter.
   * Given up by `signal`, it takes back what it declared, unless somebody else declares the same; where the broker takes too long the
   * filters stay declared, and are asked for again.
   */
  async subscribe(filters, options = {}, handler = undefined) {
    if (typeof options === 'function') [options, handler] = [{}, options]
    if (handler !== undefined && typeof handler !== 'function') refuse('handler', 'a function', handler)
    if (typeof options !== 'object' || options === null) refuse('options', 'an object', options)
    const { signal, ...own } = options
    const list = filtersOf(filters, own)
    let number, question, ended, refusal
    const ask = () => {
      const names = list.map(([filter]) => filter)
      ended = this.#handlers.add(handler, names, (given) => {
        number = given
        question = this.#native.subscribe(list, number)
      })
      return question
    }
    const answer = () => this.#answer(ask).catch((error) => {
      refusal = error
      throw error
    })
    try {
      const granted = await this.#waits.within(answer, { signal })
      ended()
      return granted
    } catch (error) {
      // Without an answer it was given up, and is to leave nothing behind.
      const alone = ended?.(error !== refusal) ?? []
      if (alone.length > 0) this.#native.giveUp(alone, number)
      if (question !== undefined) this.#forget(question)
      throw error
    }
  }

  /**
   * Declares topic filters as `subscribe` does, with a handler that answers their messages: what it returns, or what the promise it
   * returns resolves with, is the payload of the response; undefined says nothing but that it is done. A handler that fails gives no
   * response. `responseTopic` is where to answer messages that name no response topic, or a function that makes it of the message.
   */
  async serve(filters, options, handler = undefined) {
    if (typeof options === 'function') [options, handler] = [{}, options]
    if (typeof handler !== 'function') refuse('handler', 'a function', handler)
    const { responseTopic, ...own } = objectOf(options)
    const known = responseTopic === undefined || responseTopic === null || ['string', 'function'].includes(typeof responseTopic)
    if (!known) refuse('responseTopic', 'text or a function', responseTopic)
    return this.subscribe(filters, own, serving(handler, responseTopic ?? undefined))
  }

  /**
   * Takes declared filters back, from all their handlers and iterators, and waits for the broker's answer; resolves with its reason code
   * for each: 0, or 17 where it knew of no subscription; on MQTT 3.1.1, which has no codes there, 0.
   */
  async unsubscribe(filters, options = {}) {
    const { userProperties, ...limits } = named(options, ['userProperties', ...LIMITS])
    const list = Array.isArray(filters) ? filters : [filters]
    const ask = () => {
      const question = this.#native.unsubscribe(list, { userProperties })
      // Now, and not when the answer has come: what is declared from here on is to stay.
      this.#handlers.remove(list)
      this.#waits.ring()
      return question
    }
    try {
      return await this.#ask(ask, limits)
    } finally {
      this.#run()
    }
  }

  /**
   * An async iterator over what has no taker of its own, from now on until the client is closed, shared out with other iterators like
   * it; over nothing while there are `message` listeners. A message is acknowledged when the next one is asked for or the loop ends.
   */
  messages(options = undefined) {
    const { timeout, signal, ...own } = objectOf(options ?? {})
    return this.#iterator(this.#general(own), { timeout, signal })
  }

  /**
   * An async iterator over the messages of topic filters, which it declares as `subscribe` does and takes back when it ends. It gets
   * all their messages, whoever else takes them, and ends when they are unsubscribed.
   */
  subscription(filters, options = undefined) {
    const { timeout, signal, ...own } = objectOf(options ?? {})
    return this.#iterator(this.#queue(filtersOf(filters, own)), { timeout, signal })
  }

  #iterator(source, limits) {
    const respond = this.#respond
    const over = () => this.#over || source.over()
    return new Messages({ ...source, native: this.#native, respond, waits: this.#waits, over }, limits)
  }

  // --- listeners: the native half has to know whether anybody takes what is for nobody in particular ---

  addListener(name, listener) {
    return this.on(name, listener)
  }

  on(name, listener) {
    super.on(name, listener)
    return this.#listen()
  }

  prependListener(name, listener) {
    super.prependListener(name, listener)
    return this.#listen()
  }

  off(name, listener) {
    return this.removeListener(name, listener)
  }

  removeListener(name, listener) {
    super.removeListener(name, listener)
    return this.#listen()
  }

  removeAllListeners(...names) {
    super.removeAllListeners(...names)
    return this.#listen()
  }

  #listen() {
    const listens = this.listenerCount('message') > 0
    const taker = listens ? 'handler' : this.#iterators > 0 ? 'iterator' : 'nobody'
    if (taker === this.#taker) return this
    this.#taker = taker
    this.#native.setGeneral(taker)
    if (listens && this.#stranded.length > 0) {
      this.#batch.unshift(...this.#stranded.splice(0).map((item) => ({ ...item, handlers: [] })))
      // After the caller, for whom the listener is not yet there.
      Promise.resolve().then(() => this.#run())
    }
    return this
  }

  /** Where an iterator without filters takes from. */
  #general(options) {
    named(options, LIMITS)
    const iterate = (more) => {
      this.#iterators += more
      this.#listen()
    }
    iterate(1)
    return {
      take: () => this.#stranded.shift() ?? this.#native.take(GENERAL, 1)[0],
      closed: () => iterate(-1),
      over: () => false,
    }
  }

  /** Where an iterator with filters takes from: a queue of its own. */
  #queue(filters) {
    const queue = this.#native.openQueue()
    const closed = () => this.#native.closeQueue(queue)
    let refused
    const fail = (error) => {
      // What was not answered stays declared and is asked again, and what was unsubscribed before that has ended; what was refused is not.
      if (error.retryable || ['ERR_MQTT_CLOSED', 'ERR_MQTT_CANCELLED'].includes(error.code)) return
      refused = error
      this.#waits.ring()
    }
    try {
      this.#answer(() => this.#native.subscribe(filters, 0, queue)).catch(fail)
    } catch (error) {
      closed()
      throw error
    }
    const take = () => {
      if (refused !== undefined) throw refused
      return this.#native.take(queue, 1)[0]
    }
    return { take, closed, over: () => this.#native.isQueueOver(queue) }
  }

  // --- waiting ---

  #receipt(tag) {
    const receipt = new Receipt(tag, this.#waits)
    this.#receipts.set(tag, receipt)
    return receipt
  }

  #message(delivery) {
    return new Message(delivery, this.#native, this.#respond)
  }

  #respond = (...response) => {
    try {
      return this.#receipt(this.#native.respond(...response))
    } catch (error) {
      throw this.#refused(enriched(error))
    }
  }

  #refused(error) {
    if (error.code === 'ERR_MQTT_QUEUE_FULL') {
      this.#wantsDrain = true
      this.#full = this.status === 'offline'
    }
    return error
  }

  #hasRoom(otherwise = (error) => { throw error }) {
    try {
      return guarded(() => this.#native.writable()) && !this.#full
    } catch (error) {
      return otherwise(error)
    }
  }

  #ask(ask, options, needs) {
    return this.#waits.within(() => this.#answer(ask), options, needs)
  }

  /** Asks the native half; throws at once where it does not take the question, else promises the answer. */
  #answer(ask) {
    const tag = guarded(ask)
    return new Promise((resolve, reject) => this.#replies.set(tag, { resolve, reject }))
  }

  /** Nobody waits for the answer to this question any more. */
  #forget(question) {
    this.#replies.delete(question)
    this.#native.forget(question)
  }

  // --- what the bell brings ---

  #rung() {
    const reports = this.#native.reports()
    // What a packet comes to is reported after it was shown, and its receipt is still known now.
    this.#show()
    for (const report of reports) this.#report(report)
    this.#waits.ring()
    if (this.#wantsDrain && this.writable) {
      this.#wantsDrain = false
      this.#emit('drain')
    }
    if (this.#over) this.#finish()
    else this.#run()
  }

  #show() {
    const receiptOf = (tag) => this.#receipts.get(tag) ?? null
    this.#hooks.call({ native: this.#native, waits: this.#waits, log: (line) => this.#log(line), receiptOf })
  }

  #report({ tag, kind, value }) {
    // A report of a status may be older than the refusal: what counts is how it is now.
    if (kind === 'outcome' || this.status !== 'offline') this.#full = false
    if (kind === 'outcome') this.#settle(tag, new Outcome(value))
    else if (kind === 'paused') this.#waits.readingPaused = value
    else if (kind === 'end') this.#over = true
    else if (kind !== 'status') {
      const asked = this.#replies.get(tag)
      this.#replies.delete(tag)
      if (kind === 'error') asked?.reject(errorOf(value))
      else asked?.resolve(value)
    }
  }

  #settle(tag, outcome) {
    const receipt = this.#receipts.get(tag)
    if (receipt === undefined) return
    this.#receipts.delete(tag)
    Receipt.settle(receipt, outcome)
  }

  /** Runs handlers one after another until nothing waits; a ring that comes meanwhile makes it look again. */
  async #run() {
    this.#again = true
    if (this.#running) return
    this.#running = true
    while (this.#again) {
      this.#again = false
      while (this.#more()) {
        const item = this.#batch.shift()
        if (item.event !== undefined) this.#tell(item)
        else await this.#waits.handle(() => this.#handle(item))
        // A stream of messages must not keep the event loop from all else.
        if (this.#batch.length === 0) await new Promise(setImmediate)
      }
      this.#handlers.sweep()
    }
    this.#running = false
  }

  #more() {
    if (this.#over) return false
    if (this.#batch.length === 0) this.#batch = this.#native.take(HANDLERS, BATCH)
    return this.#batch.length > 0
  }

  async #handle(item) {
    const message = this.#message(item)
    let handled = true
    for (const handler of this.#handlers.of(item.handlers)) {
      handled = (await this.#call(() => handler(message), message.topic)) && handled
    }
    if (item.general && this.listenerCount('message') === 0) {
      this.#stranded.push(item)
      return this.#waits.ring()
    }
    if (item.general) handled = (await this.#callGeneral(message)) && handled
    this.#native.done(item.id, handled)
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
    } catch (thrown) {
      this.#log({ level: 'error', text: `a handler of ${what} failed: ${shownThrown(thrown)}` })
      return false
    }
  }

  #tell(news) {
    for (const [name, argument] of eventsOf(news)) {
      this.#emit(name, argument)
      if (OF_ALL.includes(name)) this.#emitOn(clients, name, argument, this)
    }
    const line = lineOf(news)
    if (line !== undefined) this.#log(line)
  }

  #emit(name, ...args) {
    this.#emitOn(this, name, ...args)
  }

  /** Emits to listeners none of whom can harm the client or the others. */
  #emitOn(emitter, name, ...args) {
    for (const listener of emitter.rawListeners(name)) this.#call(() => listener.apply(emitter, args), `${name} events`)
  }

  #log(line) {
    // A logger that fails must not end the delivery of messages, and there is nobody left to tell.
    for (const listener of this.rawListeners('log')) (async () => listener.call(this, line))().catch(() => {})
  }

  /** Everything is settled: the last news is told, and whoever waits for what will not come any more. */
  #finish() {
    if (this.#finished) return
    this.#finished = true
    do {
      for (const item of this.#batch.splice(0)) if (item.event !== undefined) this.#tell(item)
      this.#batch = this.#native.take(HANDLERS, BATCH)
    } while (this.#batch.length > 0)
    for (const tag of this.#receipts.keys()) this.#settle(tag, new Outcome(['closed', false]))
    for (const { reject } of this.#replies.values()) reject(plainError('ERR_MQTT_CLOSED'))
    this.#replies.clear()
    this.#native.release()
    clearInterval(this.#alive)
    this.#alive = null
    this.#emit('closed')
    this.#end()
    this.#waits.ring()
  }
}

/** Makes a client and begins to connect. */
const connect = (url, options) => new Client(url, options)

module.exports = { Client, clients, connect }
