// Loads the native half: the file built here if there is one, else the package for this platform.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { name, version } = require('./package.json')
const { platformName } = require('./platform.cjs')

const platform = platformName()
const local = path.join(__dirname, `${name}.${platform}.node`)
const packaged = `${name}-${platform}`

/** The native module; an error that says what to install where there is none that fits. */
function load() {
  const native = fs.existsSync(local) ? require(local) : loadPackage()
  if (native.VERSION === version) return native
  throw new Error(`${name} ${version} needs ${packaged} of the same version, but ${native.VERSION} is installed: install ${packaged}@${version}`)
}

function loadPackage() {
  try {
    return require(packaged)
  } catch (cause) {
    throw new Error(whyNot(cause), { cause })
  }
}

function whyNot(cause) {
  if (cause.code !== 'MODULE_NOT_FOUND') return `${packaged} is installed but cannot be loaded: ${cause.message}`
  return (
    `${name} has no native module for ${platform}: install ${packaged}@${version}. npm does so by itself, unless optional dependencies are ` +
    'left out (--omit=optional), node_modules was copied from another platform, or there is no such package for this one'
  )
}

module.exports = load()
