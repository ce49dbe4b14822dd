// The test broker for `import`: the same object as for `require`.
import testing from './testing.cjs'

export const { Broker } = testing
export default testing
