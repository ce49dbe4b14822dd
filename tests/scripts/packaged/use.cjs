// A program that uses the installed packages by `require`.
'use strict'

const assert = require('node:assert/strict')
const { connect } = require('leveret')
const { Broker } = require('leveret/testing')

const broker = new Broker()
const client = connect(broker.url)
client.on('message', async (topic, payload) => {
  assert.equal(`${topic} ${payload}`, 'doors/front open')
  await client.close()
  broker.close()
})
client.subscribe('doors/#').then(() => client.publish('doors/front', 'open'))
