// The messages of a client as an async iterator, each acknowledged when the next is asked for.
'use strict'

const { Message } = require('./message.cjs')

/** An iterator over the messages that have no handler of their own; several of one client share them out. */
class Messages {
  #source
  #options
  #handed = []
  #ended = false

  /** `source` belongs to the client: what comes next, what is done with, and how to wait. */
  constructor(source, options) {
    this.#source = source
    this.#options = options
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** The next message; the ones before it are done with. It ends when the client is closed. */
  async next() {
    this.#done()
    let delivery
    const come = () => this.#ended || (delivery = this.#source.take()) !== undefined || this.#source.over()
    try {
      await this.#source.waits.until(come, this.#options)
    } catch (error) {
      this.#end()
      throw error
    }
    if (delivery === undefined) return this.return()
    this.#handed.push(delivery.id)
    return { done: false, value: new Message(delivery, this.#source.native) }
  }

  /** Ends the iteration: what was handed out is done with, and a `next` that waits gets nothing more. */
  async return(value) {
    this.#end()
    return { done: true, value }
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.return().then(() => {})
  }

  #end() {
    this.#done()
    if (this.#ended) return
    this.#ended = true
    this.#source.closed()
    this.#source.waits.ring()
  }

  #done() {
    for (const id of this.#handed.splice(0)) this.#source.native.done(id, true)
  }
}

module.exports = { Messages }
