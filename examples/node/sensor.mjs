// A sensor on a bad network: the last value counts, alarms outlive an outage, nothing piles up.
//   node sensor.mjs [mqtt://localhost:1883]
import { connect } from 'leveret'

const client = connect(process.argv[2] ?? 'mqtt://localhost:1883', {
  clientId: 'boiler-3',
  maxQueuedMessages: 1_000,
  overflow: 'drop_lowest',
  will: { topic: 'boilers/3/status', payload: 'gone', retain: true },
})
client.on('online', () => client.publish('boilers/3/status', 'here', { retain: true }))
client.on('offline', ({ error }) => console.log('offline:', error.message))

/** A reading is worth nothing after ten seconds, and less than the next one of its kind. */
function report(kind, value) {
  client.publish(`boilers/3/${kind}`, value.toFixed(1), { qos: 0, ttl: '10s', priority: 'low', replace: kind })
}

/** An alarm must arrive, if need be tomorrow. */
async function alarm(text) {
  const outcome = await client.publish('boilers/3/alarm', text, { qos: 2, ttl: '24h', priority: 'high' })
  console.log('alarm', outcome.status)
}

let temperature = 20
const readings = setInterval(() => {
  temperature += 5
  report('temperature', temperature)
  if (temperature < 90) return
  console.log('too hot')
  clearInterval(readings)
  alarm('too hot').then(() => client.close())
}, 10)
