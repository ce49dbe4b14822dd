// Which function handles which topic filters, by the numbers under which the native half knows functions.
'use strict'

/** The handlers of a client. A function has one number, so that it is called once per message however many of its filters match. */
class Handlers {
  #last = 0
  #numbers = new Map()
  #functions = new Map()
  #filters = new Map()
  #retired = []

  /** The number of a function that handles these filters from now on; 0 for none. */
  add(handler, filters) {
    if (handler === undefined) return 0
    const number = this.#numbers.get(handler) ?? ++this.#last
    this.#numbers.set(handler, number)
    this.#functions.set(number, handler)
    const known = this.#filters.get(number) ?? new Set()
    this.#filters.set(number, known)
    for (const filter of filters) known.add(filter)
    return number
  }

  /** The functions of these numbers. */
  of(numbers) {
    return numbers.map((number) => this.#functions.get(number)).filter((handler) => handler !== undefined)
  }

  /** These filters are unsubscribed. What was received before may still have to be handled, until `sweep`. */
  remove(filters) {
    this.#retired.push(...filters)
  }

  /** Forgets the functions that have no filter any more: nothing for them waits. */
  sweep() {
    if (this.#retired.length === 0) return
    const gone = this.#retired.splice(0)
    for (const [number, known] of this.#filters) {
      for (const filter of gone) known.delete(filter)
      if (known.size > 0) continue
      this.#numbers.delete(this.#functions.get(number))
      this.#functions.delete(number)
      this.#filters.delete(number)
    }
  }
}

module.exports = { Handlers }
