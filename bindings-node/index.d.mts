// The types of the package leveret for `import`: those for `require`, and what stands behind `import leveret from`.
import * as leveret from './index.js'

export * from './index.js'
export default leveret
