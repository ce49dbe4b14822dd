// News of a client as events with names, and as lines of a log.
'use strict'

const { errorOf } = require('./errors.cjs')

/** The events that one piece of news is emitted as: `[name, argument]` each. */
function eventsOf({ kind, event }) {
  if (kind === 'status') return [['status', event.status]]
  if (kind === 'ping') return [['ping', event.roundTrip]]
  if (event.error !== undefined) event.error = errorOf(event.error)
  const more = kind === 'connection' && event.kind !== 'attempt_failed' ? [[event.kind, event]] : []
  return [[kind, event], ...more]
}

/** The line of the log for it, if it is worth one: never a payload, a password or a key. */
function lineOf({ kind, event }) {
  if (kind === 'connection') return { level: asWanted(event) ? 'info' : 'warn', text: connectionText(event) }
  if (kind === 'notice') return { level: 'warn', text: event.text }
  if (kind !== 'subscription') return undefined
  const odd = event.state === 'refused' || event.state === 'downgraded'
  return { level: odd ? 'warn' : 'info', text: `subscription ${JSON.stringify(event.filter)}: ${event.state}` }
}

/** It is online, or offline because the program has closed it. */
const asWanted = ({ kind, error }) => kind === 'online' || (kind === 'offline' && error.code === 'ERR_MQTT_CLOSED')

function connectionText({ kind, version, sessionPresent, error, retryIn }) {
  if (kind === 'online') return `online, MQTT ${version}, session present: ${sessionPresent}`
  if (kind === 'offline') return `offline: ${error.message}`
  return `could not connect: ${error.message}; next attempt in ${Math.round(retryIn)} ms`
}

module.exports = { eventsOf, lineOf }
