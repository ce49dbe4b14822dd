// The name of the platform this process runs on, as it stands in the names of native modules.
'use strict'

/** `linux-x64-gnu`, `linux-arm64-musl`, `darwin-arm64`, `win32-x64`, … */
function platformName() {
  const parts = [process.platform, process.arch]
  if (process.platform === 'linux') parts.push(libc())
  return parts.join('-')
}

/** glibc reports its version, musl has nothing to report. */
function libc() {
  const { report } = process
  const { excludeNetwork } = report
  report.excludeNetwork = true // else it may ask name servers
  try {
    return report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

module.exports = { platformName }
