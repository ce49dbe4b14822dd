// A worker on a shared queue: jobs are acknowledged when they are done, and SIGTERM lets the last one finish.
//   node worker.mjs [mqtt://localhost:1883]
import { connect } from 'leveret'

const client = connect(process.argv[2] ?? 'mqtt://localhost:1883', { protocol: '5', receiveMaximum: 1 })
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
client.on('log', ({ level, text }) => level !== 'info' && console.error(text))

/** Does one job and says so; a job that fails goes to whoever looks after failures. */
async function work(message) {
  const { name, milliseconds } = JSON.parse(message.payload.toString())
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  console.log('done', name)
  await client.publish(message.properties.responseTopic ?? 'jobs/done', name)
}

// Every worker of the group gets its share. A job that was not acknowledged when the process died goes to another.
const jobs = client.subscription('$share/workers/jobs/new', { qos: 1, signal: stop.signal })
try {
  for await (const job of jobs) {
    await work(job).catch((error) => client.publish('jobs/failed', String(error)))
    if (stop.signal.aborted) break
  }
} catch (error) {
  if (!stop.signal.aborted) throw error
}
await client.close()
