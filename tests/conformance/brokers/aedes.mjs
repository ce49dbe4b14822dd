// aedes on loopback ports, with what it keeps in a folder of its own: `node aedes.mjs INSTALLED PORTS FOLDER CERTIFICATES`.
import { readFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { createServer as createTls } from 'node:tls'

const [installed, ports, folder, certificates] = process.argv.slice(2)
const require = createRequire(`${installed}/package.json`)
const { Aedes } = require('aedes')
const persistence = require('aedes-persistence-level')
const { Level } = require('level')
const { WebSocketServer, createWebSocketStream } = require('ws')

const database = new Level(folder)
const broker = await Aedes.createBroker({ persistence: persistence(database) })

const file = (name) => readFileSync(`${certificates}/${name}`)
const secure = { cert: file('server.pem'), key: file('server.key') }
const mutual = { ...secure, ca: file('ca.pem'), requestCert: true, rejectUnauthorized: true }

/** MQTT in the frames of whoever offers it. */
function framed(server) {
  const handleProtocols = (offered) => offered.has('mqtt') && 'mqtt'
  const sockets = new WebSocketServer({ server, handleProtocols })
  sockets.on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request))
  return server
}

const servers = {
  tcp: createServer(broker.handle),
  tls: createTls(secure, broker.handle),
  mutual: createTls(mutual, broker.handle),
  ws: framed(createHttp()),
  wss: framed(createHttps(secure)),
}
for (const [transport, port] of Object.entries(JSON.parse(ports))) servers[transport].listen(port, '127.0.0.1')

process.on('SIGTERM', () => {
  for (const server of Object.values(servers)) server.close()
  broker.close(() => database.close().then(() => process.exit(0)))
})
