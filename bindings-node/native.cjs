// Loads the native half: the file built here if there is one, else the package for this platform.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { platformName } = require('./platform.cjs')

const platform = platformName()
const local = path.join(__dirname, `leveret.${platform}.node`)

/** The native module; an error that says what to install where there is none. */
function load() {
  if (fs.existsSync(local)) return require(local)
  try {
    return require(`leveret-${platform}`)
  } catch (cause) {
    throw new Error(`leveret has no native module for ${platform}: neither ${local} nor the package leveret-${platform} can be loaded`, { cause })
  }
}

module.exports = load()
