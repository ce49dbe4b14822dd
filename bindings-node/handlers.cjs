// Which function handles which topic filters, by the numbers under which the native half knows functions.
'use strict'

/** The handlers of a client. A function has one number, so that it is called once per message however many of its filters match. */
class Handlers {
  #last = 0
  #numbers = new Map()
  #functions = new Map()
  // By number, for each filter: the calls that declare it and are not answered, and whether one was not given up.
  #filters = new Map([[0, new Map()]])

  /**
   * Declares filters with a function: `subscribe` is called with its number, 0 where there is none, and asks the native half. Returns
   * what ends the declaration when it is answered, or, called with true, given up: the filters that nobody else declared with it.
   */
  add(handler, filters, subscribe) {
    const number = handler === undefined ? 0 : (this.#numbers.get(handler) ?? ++this.#last)
    subscribe(number)
    if (number !== 0) {
      this.#numbers.set(handler, number)
      this.#functions.set(number, handler)
    }
    const known = this.#filters.get(number) ?? new Map()
    this.#filters.set(number, known)
    const call = {}
    for (const filter of filters) known.set(filter, known.get(filter) ?? { open: new Set(), kept: false }).get(filter).open.add(call)
    return (givenUp) => filters.filter((filter) => this.#ended(known, filter, call, givenUp))
  }

  /** The functions of these numbers. */
  of(numbers) {
    return numbers.map((number) => this.#functions.get(number)).filter((handler) => handler !== undefined)
  }

  /** These filters were taken back. What was received before may still have to be handled, until `sweep`. */
  remove(filters) {
    for (const known of this.#filters.values()) for (const filter of filters) known.delete(filter)
  }

  /** Forgets the functions that have no filter any more: nothing for them waits. */
  sweep() {
    for (const [number, known] of this.#filters) {
      if (known.size > 0 || number === 0) continue
      this.#numbers.delete(this.#functions.get(number))
      this.#functions.delete(number)
      this.#filters.delete(number)
    }
  }

  /** A call has ended; whether that leaves nobody who declares the filter. */
  #ended(known, filter, call, givenUp) {
    const declared = known.get(filter)
    // It may have been taken back since, and declared anew.
    if (!declared?.open.delete(call)) return false
    declared.kept ||= !givenUp
    return !declared.kept && declared.open.size === 0 && known.delete(filter)
  }
}

module.exports = { Handlers }
