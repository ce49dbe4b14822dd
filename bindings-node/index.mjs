// The package leveret for `import`: the same objects as for `require`, so that a program that mixes both has one.
import leveret from './index.cjs'

export const { version, connect, Client, clients, Message, MqttError, Outcome, ReasonCode, Receipt, shutdown, setRuntimeThreads } = leveret
export default leveret
