// The types of leveret/testing for `import`: those for `require`, and what stands behind `import testing from`.
import * as testing from './testing.js'

export * from './testing.js'
export default testing
