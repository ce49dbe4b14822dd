// Messages as an async iterator, each acknowledged when the next is asked for.
'use strict'

const { guarded } = require('./errors.cjs')
const { Message } = require('./message.cjs')

/** Ends what an iterator that nobody holds any more has left open. */
const forgotten = new FinalizationRegistry((intake) => intake.end())

/** What an iterator takes from. It does not know the iterator, so that it can outlive it. */
class Intake {
  #source
  #handed = []
  #ended = false

  constructor(source) {
    this.#source = source
  }

  /** Waits for the next message; undefined when there will be no more. */
  async take(options) {
    // Also where a signal has ended it, which would reject again.
    if (this.#ended) return undefined
    let delivery
    const { take, over, waits } = this.#source
    const come = () => this.#ended || (delivery = guarded(take)) !== undefined || over()
    await waits.until(come, options)
    if (delivery === undefined) return undefined
    this.#handed.push(delivery.id)
    return new Message(delivery, this.#source.native, this.#source.respond)
  }

  /** What was handed out is done with. */
  done() {
    for (const id of this.#handed.splice(0)) this.#source.native.done(id, true)
  }

  /** Ends it; who waits gets nothing more. */
  end() {
    this.done()
    if (this.#ended) return
    this.#ended = true
    this.#source.closed()
    this.#source.waits.ring()
  }
}

/** An iterator over messages of a client. */
class Messages {
  #intake
  #options

  /** `source` belongs to the client: how to take what comes next, what is done with, and how to wait. */
  constructor(source, options) {
    this.#intake = new Intake(source)
    this.#options = options
    forgotten.register(this, this.#intake, this)
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** The next message; the ones before it are done with. It ends when the client is closed. */
  async next() {
    this.#intake.done()
    try {
      const value = await this.#intake.take(this.#options)
      return value === undefined ? await this.return() : { done: false, value }
    } catch (error) {
      await this.return()
      throw error
    }
  }

  /** Ends the iteration: what was handed out is done with, and a `next` that waits gets nothing more. */
  async return(value) {
    forgotten.unregister(this)
    this.#intake.end()
    return { done: true, value }
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.return().then(() => {})
  }
}

module.exports = { Messages }
