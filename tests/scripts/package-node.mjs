// Lays out the two npm packages, the one for everybody and the one of this platform: package-node.mjs MODULE FOLDER.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [module, folder] = process.argv.slice(2)
const root = fileURLToPath(new URL('../../', import.meta.url))
const source = join(root, 'bindings-node')
const { platformName } = createRequire(import.meta.url)(join(source, 'platform.cjs'))

const platform = platformName()
const [os, cpu, libc] = platform.split('-')
const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
const { name, version, license, engines } = manifest
const native = `${name}-${platform}`

/** Makes the package `name` of `files` (name → origin) with `readme` and `manifest`, and with the licences. */
function lay(name, files, readme, manifest) {
  const place = join(folder, name)
  mkdirSync(place, { recursive: true })
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) files[licence] = join(root, licence)
  for (const [file, origin] of Object.entries(files)) copyFileSync(origin, join(place, file))
  writeFileSync(join(place, 'README.md'), readme)
  writeFileSync(join(place, 'package.json'), JSON.stringify(manifest, null, 2) + '\n')
}

const faces = readdirSync(source).filter((file) => /\.(cjs|mjs|d\.ts|d\.mts)$/.test(file))
const { scripts, devDependencies, ...published } = manifest
lay(name, Object.fromEntries(faces.map((file) => [file, join(source, file)])), readFileSync(join(source, 'README.md'), 'utf8'), {
  ...published,
  optionalDependencies: { [native]: version }
})

const main = `${name}.${platform}.node`
const description = `The native half of ${name} for ${platform}.`
lay(native, { [main]: module }, `# ${native}\n\n${description} npm installs it together with [${name}](https://www.npmjs.com/package/${name}).\n`, {
  name: native,
  version,
  description,
  license,
  engines,
  main,
  files: [main],
  os: [os],
  cpu: [cpu],
  ...(libc && { libc: [libc === 'gnu' ? 'glibc' : libc] })
})
