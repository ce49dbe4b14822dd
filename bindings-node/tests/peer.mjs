// A broker of MQTT 5 that says what a test tells it to, for what the test broker has no reason to say.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'

import { LIMIT } from './common.mjs'

const TYPES = ['', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH']
const WITH_IDENTIFIER = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK']

/** Number and type of each property (MQTT 5, 2.2.2.2). */
const PROPERTIES = {
  payloadFormatIndicator: [0x01, 1], messageExpiryInterval: [0x02, 4], contentType: [0x03, 'text'], responseTopic: [0x08, 'text'],
  correlationData: [0x09, 'bytes'], subscriptionIdentifier: [0x0b, 'short'], sessionExpiryInterval: [0x11, 4],
  assignedClientIdentifier: [0x12, 'text'], serverKeepAlive: [0x13, 2], authenticationMethod: [0x15, 'text'],
  authenticationData: [0x16, 'bytes'], requestProblemInformation: [0x17, 1], requestResponseInformation: [0x19, 1],
  responseInformation: [0x1a, 'text'], serverReference: [0x1c, 'text'], reasonString: [0x1f, 'text'], receiveMaximum: [0x21, 2],
  topicAliasMaximum: [0x22, 2], topicAlias: [0x23, 2], maximumQos: [0x24, 1], retainAvailable: [0x25, 1], userProperty: [0x26, 'pair'],
  maximumPacketSize: [0x27, 4], wildcardSubscriptionAvailable: [0x28, 1], subscriptionIdentifiersAvailable: [0x29, 1],
  sharedSubscriptionAvailable: [0x2a, 1],
}
const names = new Map(Object.entries(PROPERTIES).map(([name, [number]]) => [number, name]))

/** A peer that ends with the test. */
export async function peerFor(t) {
  const peer = new Peer()
  await peer.listen()
  t.after(() => peer.close())
  return peer
}

class Peer {
  #server = createServer((socket) => this.#accept(socket))
  #socket
  #rest = Buffer.alloc(0)
  #came = []
  #changed = () => {}

  async listen() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `mqtt://127.0.0.1:${this.#server.address().port}`
  }

  /** The next packet, which must be of this type: its identifier, reason code and properties, as far as it has them. */
  async expect(type) {
    const deadline = performance.now() + LIMIT
    while (this.#came.length === 0) {
      assert.ok(performance.now() < deadline, `no ${type} came`)
      await new Promise((resolve) => {
        this.#changed = resolve
        setTimeout(resolve, 100)
      })
    }
    const packet = this.#came.shift()
    assert.equal(packet.type, type)
    return packet
  }

  /** Sends a packet: identifier, reason code or codes, properties. */
  send(type, { packetId, reason = 0, reasons = [reason], sessionPresent = false, properties = {} } = {}) {
    const told = propertiesOf(properties)
    const codes = Buffer.from(reasons)
    const id = packetId === undefined ? Buffer.alloc(0) : number(packetId, 2)
    const flag = type === 'CONNACK' ? [Buffer.from([sessionPresent ? 1 : 0])] : []
    const body = ['SUBACK', 'UNSUBACK'].includes(type) ? [id, told, codes] : [...flag, id, codes, told]
    this.#write(type, type === 'PUBREL' ? 2 : 0, Buffer.concat(body))
  }

  /** Sends a message. */
  publish(topic, payload, { qos = 0, packetId, properties = {} } = {}) {
    const id = qos === 0 ? Buffer.alloc(0) : number(packetId, 2)
    this.#write('PUBLISH', qos << 1, Buffer.concat([text(topic), id, propertiesOf(properties), Buffer.from(payload)]))
  }

  /** Accepts the next connection. */
  async online(properties) {
    const connect = await this.expect('CONNECT')
    this.send('CONNACK', { properties })
    return connect
  }

  hangUp() {
    this.#socket?.destroy()
  }

  close() {
    this.hangUp()
    this.#server.close()
  }

  #write(type, flags, body) {
    this.#socket.write(Buffer.concat([Buffer.from([(TYPES.indexOf(type) << 4) | flags]), variable(body.length), body]))
  }

  #accept(socket) {
    this.#socket = socket
    this.#rest = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      this.#rest = Buffer.concat([this.#rest, data])
      for (let packet; (packet = this.#take()) !== undefined; ) this.#came.push(packet)
      this.#changed()
    })
  }

  #take() {
    const [length, begin] = readVariable(this.#rest, 1)
    if (begin === 0 || this.#rest.length < begin + length) return undefined
    const [first, body] = [this.#rest[0], this.#rest.subarray(begin, begin + length)]
    this.#rest = this.#rest.subarray(begin + length)
    return read(TYPES[first >> 4], body)
  }
}

function read(type, body) {
  if (type === 'CONNECT') return { type, properties: readProperties(body, 10), ...readLogin(body) }
  if (type === 'PUBLISH' || type === 'PINGREQ') return { type, body }
  const id = WITH_IDENTIFIER.includes(type) ? 2 : 0
  const packet = { type, properties: {}, ...(id === 0 ? {} : { packetId: body.readUInt16BE(0) }) }
  if (type === 'SUBSCRIBE' || type === 'UNSUBSCRIBE') return { ...packet, properties: readProperties(body, id) }
  packet.reason = body[id] ?? 0
  return body.length > id + 1 ? { ...packet, properties: readProperties(body, id + 1) } : packet
}

/** Will, user name and password of a CONNECT (MQTT 5, 3.1.3). */
function readLogin(body) {
  const flags = body[7]
  let place = 10
  const skip = () => {
    const [length, begin] = readVariable(body, place)
    place = begin + length
  }
  const bytes = () => {
    const size = body.readUInt16BE(place)
    place += 2 + size
    return body.subarray(place - size, place).toString()
  }
  skip()
  bytes()
  const login = {}
  if (flags & 0x04) {
    skip()
    login.will = { topic: bytes(), payload: bytes(), qos: (flags >> 3) & 3 }
  }
  if (flags & 0x80) login.username = bytes()
  if (flags & 0x40) login.password = bytes()
  return login
}

function readProperties(body, at) {
  const [length, begin] = readVariable(body, at)
  const rest = body.subarray(begin, begin + length)
  const found = {}
  let place = 0
  const bytes = () => {
    const size = rest.readUInt16BE(place)
    place += 2 + size
    return rest.subarray(place - size, place)
  }
  while (place < rest.length) {
    const name = names.get(rest[place++])
    const [, kind] = PROPERTIES[name]
    if (kind === 'text') found[name] = bytes().toString()
    else if (kind === 'bytes') found[name] = bytes()
    else if (kind === 'pair') (found[name] ??= []).push([bytes().toString(), bytes().toString()])
    else place += (found[name] = rest.readUIntBE(place, kind), kind)
  }
  return found
}

function propertiesOf(properties) {
  const parts = Object.entries(properties).flatMap(([name, value]) => {
    const [id, kind] = PROPERTIES[name]
    const values = kind === 'pair' || Array.isArray(value) ? value : [value]
    return values.map((each) => Buffer.concat([Buffer.from([id]), valueOf(kind, each)]))
  })
  const body = Buffer.concat(parts)
  return Buffer.concat([variable(body.length), body])
}

function valueOf(kind, value) {
  if (kind === 'pair') return Buffer.concat(value.map(text))
  if (kind === 'short') return variable(value)
  return typeof kind === 'number' ? number(value, kind) : text(value)
}

function number(value, size) {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}

const text = (value) => Buffer.concat([number(Buffer.byteLength(value), 2), Buffer.from(value)])

function variable(value) {
  const bytes = []
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0))
    value >>= 7
  } while (value > 0)
  return Buffer.from(bytes)
}

/** The number and where it ends; 0 where it is not all there. */
function readVariable(bytes, at) {
  let value = 0
  for (let place = at; place < bytes.length; place++) {
    value |= (bytes[place] & 0x7f) << (7 * (place - at))
    if (bytes[place] < 0x80) return [value, place + 1]
  }
  return [0, 0]
}
