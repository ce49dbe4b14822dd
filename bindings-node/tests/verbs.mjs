// Every verb of a client, and how the tests call it; used wherever something has to hold for all of them.

/** Limits that keep a verb which waits from waiting longer than a test. */
const WITHIN = { timeout: 2_000 }

/**
 * By name: `call` uses the verb as a program would; `closed` says what it does on a closed client: the code of the error without its
 * prefix, or else nothing wrong. `ends` marks what ends the client, to be called last.
 */
export const VERBS = {
  status: { call: (client) => client.status },
  waitFor: { call: (client) => client.waitFor('online', WITHIN), closed: 'CLOSED' },
  reconnect: { call: (client) => client.reconnect(), closed: 'CLOSED' },
  ping: { call: (client) => client.ping(WITHIN), closed: 'CLOSED' },
  reauthenticate: { call: (client) => client.reauthenticate(WITHIN).catch(noMethod), closed: 'CLOSED' },
  stats: { call: (client) => client.stats() },
  unref: { call: (client) => client.unref() },
  hasRef: { call: (client) => client.hasRef() },
  ref: { call: (client) => client.ref() },
  publish: { call: (client) => client.publish('verbs', 'x', { ttl: 1_000 }), closed: 'CLOSED' },
  publishMany: { call: (client) => client.publishMany([['verbs', 'x']], { ttl: 1_000 })[0], closed: 'CLOSED' },
  request: { call: (client) => client.request('verbs/nobody', 'x', { timeout: 20, responseTopic: 'verbs/answer' }).catch(late), closed: 'CLOSED' },
  serve: { call: (client) => client.serve('verbs/none', { signal: AbortSignal.timeout(2_000) }, () => {}), closed: 'CLOSED' },
  writable: { call: (client) => client.writable },
  drain: { call: (client) => client.drain(WITHIN), closed: 'CLOSED' },
  cancel: { call: (client, receipt) => client.cancel(receipt, WITHIN) },
  explain: { call: (client, receipt) => client.explain(receipt, WITHIN) },
  subscribe: { call: (client) => client.subscribe('verbs/none', { signal: AbortSignal.timeout(2_000) }, () => {}), closed: 'CLOSED' },
  unsubscribe: { call: (client) => client.unsubscribe('verbs/none', WITHIN), closed: 'CLOSED' },
  messages: { call: (client) => client.messages(WITHIN).return() },
  subscription: { call: (client) => client.subscription('verbs/none', WITHIN).return(), closed: 'CLOSED' },
  flush: { call: (client) => client.flush(WITHIN), closed: 'CLOSED' },
  on: { call: (client) => client.on('notice', nothing) },
  addListener: { call: (client) => client.addListener('notice', nothing) },
  prependListener: { call: (client) => client.prependListener('notice', nothing) },
  off: { call: (client) => client.off('notice', nothing) },
  removeListener: { call: (client) => client.removeListener('notice', nothing) },
  removeAllListeners: { call: (client) => client.removeAllListeners('no such event') },
  close: { call: (client) => client.close({ timeout: 2_000 }), ends: true },
  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]: { call: (client) => client[Symbol.asyncDispose](), ends: true },
}

function nothing() {}

/** Most clients here have no authentication method, and some no connection. */
function noMethod(error) {
  if (!['ERR_MQTT_NOT_SUPPORTED', 'ERR_MQTT_NOT_CONNECTED'].includes(error.code)) throw error
}

/** Nobody answers, which is as it should be. */
function late(error) {
  if (error.code !== 'ERR_MQTT_TIMED_OUT') throw error
}

/** The names of the table, symbols included, and the same of what the class has. */
export const named = () => Reflect.ownKeys(VERBS)
export const membersOf = (type) => Reflect.ownKeys(type.prototype).filter((name) => name !== 'constructor')
