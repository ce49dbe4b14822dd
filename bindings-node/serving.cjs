// Handlers whose answers are the responses to the messages they are called with.
'use strict'

/** The handler, with what it answers sent; `responseTopic` says where, for messages that do not. */
function serving(handler, responseTopic) {
  return async (message) => {
    const answer = await handler(message)
    const topic = typeof responseTopic === 'function' ? responseTopic(message) : responseTopic
    const nothing = answer === undefined || answer === null
    // Nothing to say, and nobody to say it to.
    if (nothing && topic === undefined && message.properties.responseTopic === undefined) return
    message.respond(nothing ? '' : answer, { topic })
  }
}

module.exports = { serving }
