// A gateway from HTTP to MQTT, in CommonJS: POST /topic publishes, GET /health tells how the client stands.
//   node gateway.cjs [mqtt://localhost:1883] [port]
'use strict'

const { createServer } = require('node:http')
const { buffer } = require('node:stream/consumers')
const { connect, MqttError } = require('leveret')

const client = connect(process.argv[2] ?? 'mqtt://localhost:1883')

const server = createServer(async (request, response) => {
  const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (request.method === 'GET') {
    const { status, queued, inFlight, reconnects, lastError } = client.stats()
    return answer(status === 'online' ? 200 : 503, { status, queued, inFlight, reconnects, lastError })
  }
  // Who hangs up does not want the letter any more.
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    const receipt = client.publish(decodeURI(request.url.slice(1)), await buffer(request), { ttl: '5s' })
    const outcome = await receipt.wait({ signal: gone.signal }).catch((error) => client.cancel(receipt).then(() => { throw error }))
    answer(outcome.ok ? 200 : 504, { outcome: outcome.status, maybeDelivered: outcome.maybeDelivered })
  } catch (error) {
    if (gone.signal.aborted) return
    if (!(error instanceof MqttError)) throw error
    answer(error.retryable ? 503 : 400, { error: error.code, message: error.message })
  }
})

server.listen(Number(process.argv[3] ?? 8080), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
process.once('SIGTERM', () => {
  server.close(() => client.close())
  server.closeIdleConnections()
})
