// aedes on a loopback port, with what it keeps in a folder of its own: `node aedes.mjs INSTALLED PORT FOLDER`.
import { createRequire } from 'node:module'
import { createServer } from 'node:net'

const [installed, port, folder] = process.argv.slice(2)
const require = createRequire(`${installed}/package.json`)
const { Aedes } = require('aedes')
const persistence = require('aedes-persistence-level')
const { Level } = require('level')

const database = new Level(folder)
const broker = await Aedes.createBroker({ persistence: persistence(database) })
const server = createServer(broker.handle)
server.listen(Number(port), '127.0.0.1')

process.on('SIGTERM', () => {
  server.close()
  broker.close(() => database.close().then(() => process.exit(0)))
})
