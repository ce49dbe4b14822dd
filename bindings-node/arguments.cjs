// Arguments as the native half takes them.
'use strict'

const { isAnyArrayBuffer } = require('node:util/types')

const { MqttError, guarded } = require('./errors.cjs')
const native = require('./native.cjs')

/** Throws that an argument must be something else. */
const refuse = (name, allowed, given) => guarded(() => native.refuse(name, allowed, given))

/** Is it an object with names: what a list, a Map or a Set holds has none. */
const isObject = (given) => typeof given === 'object' && given !== null && !(Symbol.iterator in given)

/** What has to be an object of options. */
const objectOf = (options) => (isObject(options) ? options : refuse('options', 'an object', options))

/** The options of a call that is none of the core's, which may have these names. */
function named(options, names) {
  const strange = Object.keys(objectOf(options)).find((name) => !names.includes(name))
  if (strange === undefined) return options
  throw new MqttError('ERR_MQTT_UNKNOWN_OPTION', `unknown option ${JSON.stringify(strange)}; it must be ${names.join(' or ')}`)
}

/** Bytes that the native half knows; text and what is neither stay as they are. */
const bytesOf = (given) => (isAnyArrayBuffer(given) ? new Uint8Array(given) : given)

/** A payload as the native half knows it. Half of a pair of surrogates has no UTF-8, and would silently become another character. */
function payloadOf(given) {
  if (typeof given === 'string' && !given.isWellFormed()) refuse('payload', 'text or bytes', given)
  return bytesOf(given)
}

/** Options with their bytes as the native half knows them. */
function optionsOf(options) {
  if (typeof options === 'object') objectOf(options)
  if (!isObject(options) || !Object.values(options).some(isAnyArrayBuffer)) return options
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, bytesOf(value)]))
}

/** The options of a client, with the parts of `will: {…}` under the names of the option table. */
function clientOptionsOf(options) {
  if (!isObject(options) || options.will === undefined) return optionsOf(options)
  const { will, ...flat } = options
  if (will !== null && !isObject(will)) refuse('will', 'an object or null', will)
  for (const [name, value] of Object.entries(will ?? {})) {
    flat[`will${name.charAt(0).toUpperCase()}${name.slice(1)}`] = value
  }
  return optionsOf(flat)
}

/** Each filter with its options; options for all hold where a filter has none of its own. */
function filtersOf(filters, options) {
  if (Array.isArray(filters)) return filters.map((filter) => [filter, options])
  if (isObject(filters)) return Object.entries(filters).map(([filter, own]) => [filter, { ...options, ...ownOptions(filter, own) }])
  return [[filters, options]]
}

function ownOptions(filter, own = {}) {
  return isObject(own) ? own : refuse(`the options of topic filter ${JSON.stringify(filter)}`, 'an object', own)
}

/** Letters `[topic, payload]` as a list of topics and one of payloads. */
function lettersOf(letters) {
  const allowed = 'a list of [topic, payload]'
  if (typeof letters?.[Symbol.iterator] !== 'function' || typeof letters === 'string') refuse('letters', allowed, letters)
  const list = [...letters]
  for (const letter of list) if (!Array.isArray(letter) || letter.length > 2) refuse('letters', allowed, letter)
  return [list.map(([topic]) => topic), list.map(([, payload = '']) => payloadOf(payload))]
}

module.exports = { bytesOf, clientOptionsOf, filtersOf, isObject, lettersOf, named, objectOf, optionsOf, payloadOf, refuse }
