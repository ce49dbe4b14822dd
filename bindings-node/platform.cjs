// The name of the platform this process runs on, as it stands in the names of native modules.
'use strict'

/** `linux-x64-gnu`, `linux-arm64-musl`, `darwin-arm64`, `win32-x64`, … */
function platformName() {
  const parts = [process.platform, process.arch]
  if (process.platform === 'linux') {
    // glibc reports its version here; musl has nothing to report.
    parts.push(process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl')
  }
  return parts.join('-')
}

module.exports = { platformName }
