// Waiting: within a timeout, until a signal, and never inside a handler that would have to end first.
'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
// Not the global ones, which tests replace to stop the time: the network does not stop.
const { clearTimeout, setTimeout } = require('node:timers')

const { named, refuse } = require('./arguments.cjs')
const { errorOf, guarded, plainError } = require('./errors.cjs')
const native = require('./native.cjs')

/** The longest time that a timer of Node counts, in milliseconds; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1

/** What limits a wait. */
const LIMITS = ['timeout', 'signal']

/** The handler that is running here, if any: what would wait for that very handler must not wait. */
const handling = new AsyncLocalStorage()

/** All that is waited for on one client. */
class Waits {
  #paused = false
  // What to call when reading pauses, for those who wait inside a handler.
  #stuck = new Set()
  // Those who wait for anything to change; each looks for itself after every ring of the bell.
  #ringing = new Set()

  /** Runs a handler: until what it returns has ended, `inHandler` is true in it and in all that it calls. */
  async handle(handler) {
    const running = { waits: this, ended: [], closes: false }
    try {
      return await handling.run(running, handler)
    } finally {
      const { ended } = running
      running.ended = null
      for (const call of ended) call()
    }
  }

  /** Is the caller inside a handler that has not ended. */
  get inHandler() {
    const running = handling.getStore()
    return running?.waits === this && running.ended !== null
  }

  /** Closes when the handler that the caller is in has ended. */
  closeAfterHandler(close) {
    handling.getStore().closes = true
    this.afterHandler(close)
  }

  /** Throws if the caller is inside a handler that has put off a close, for which it would wait. */
  refuseBehindClose() {
    if (this.inHandler && handling.getStore().closes) throw errorOf(native.wouldDeadlock(true))
  }

  /** Calls when the handler that the caller is in has ended. */
  afterHandler(call) {
    handling.getStore().ended.push(call)
  }

  /** Nothing more is read, because the inbox is full; or reading goes on. */
  set readingPaused(paused) {
    this.#paused = paused
    if (paused) for (const stuck of [...this.#stuck]) stuck()
  }

  /** Wakes those who wait for a change. */
  ring() {
    const ringing = [...this.#ringing]
    this.#ringing.clear()
    for (const resolve of ringing) resolve()
  }

  /** Waits until `come` says so, asking it again after every ring. */
  async until(come, options = {}) {
    named(options, LIMITS)
    const limits = { signal: options.signal, timeout: milliseconds(options.timeout) }
    const deadline = limits.timeout === undefined ? undefined : performance.now() + limits.timeout
    if (limits.signal) aborted(limits.signal)
    while (!come()) {
      if (deadline !== undefined) limits.timeout = Math.max(0, deadline - performance.now())
      let rung
      const ring = new Promise((resolve) => this.#ringing.add((rung = resolve)))
      try {
        await this.within(() => ring, limits)
      } finally {
        // A wait that was given up leaves nothing behind until the next ring, which may be far.
        this.#ringing.delete(rung)
      }
    }
  }

  /** Waits for what `begin` promises; `reads` says whether it comes from the broker, which nobody hears while reading is paused. */
  async within(begin, options = {}, { reads = true } = {}) {
    const { timeout, signal } = named(options, LIMITS)
    const limit = milliseconds(timeout)
    if (signal !== undefined && signal !== null) aborted(signal)
    const promise = begin()
    const mayBeStuck = reads && this.inHandler
    if (limit === undefined && !signal && !mayBeStuck) return promise
    let clean
    const guard = new Promise((_, reject) => {
      const give = () => reject(plainError('ERR_MQTT_TIMED_OUT'))
      const timer = limit === undefined ? undefined : setTimeout(give, Math.min(Math.ceil(limit), LONGEST))
      const unheard = signal ? whenAborted(signal, reject) : () => {}
      const stuck = () => reject(errorOf(native.wouldDeadlock()))
      if (mayBeStuck) {
        this.#stuck.add(stuck)
        this.afterHandler(() => this.#stuck.delete(stuck))
        if (this.#paused) stuck()
      }
      clean = () => {
        clearTimeout(timer)
        unheard()
        this.#stuck.delete(stuck)
      }
    })
    return Promise.race([promise, guard]).finally(clean)
  }
}

/** By signal, those who wait with it. One listener serves them all, because Node warns of a leak where a signal has more than ten. */
const waiting = new WeakMap()

/** Calls with the reason when the signal is aborted; returns what takes that back. */
function whenAborted(signal, call) {
  let calls = waiting.get(signal)
  if (calls === undefined) {
    const added = (calls = new Set())
    const abort = () => added.forEach((each) => each(signal.reason))
    calls.stop = () => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort)
    waiting.set(signal, calls)
  }
  // A function of its own: the same one may be given twice.
  const each = (reason) => call(reason)
  calls.add(each)
  return () => {
    calls.delete(each)
    if (calls.size > 0 || waiting.get(signal) !== calls) return
    waiting.delete(signal)
    calls.stop()
  }
}

function aborted(signal) {
  // Not by its class: a signal may come from another realm, as in vm contexts and test runners.
  const known = typeof signal.throwIfAborted === 'function' && typeof signal.addEventListener === 'function'
  if (!known) refuse('signal', 'an AbortSignal', signal)
  signal.throwIfAborted()
}

/** A timeout as a number of milliseconds; undefined for no limit. */
function milliseconds(timeout) {
  if (timeout === undefined || timeout === null) return undefined
  return guarded(() => native.timeout(timeout)) ?? undefined
}

module.exports = { LIMITS, Waits, milliseconds }
