// Builds dist/: the programs that people and units run. Bundled, because a start of some hundred small files costs
// more than what `agentz ls` has to do; the server's framework stays outside, since only `serve` loads it.
import { rmSync } from 'node:fs'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(await readFile(`${root}/package.json`, 'utf8'))
const external = []

rmSync(`${root}/dist`, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli/main.ts', daemon: 'src/daemon/main.ts', reap: 'src/daemon/reap.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: true,
  keepNames: false,
  legalComments: 'none',
  external,
  // yargs measures text with it, to lay out its help. Two copies compile regular expressions of all emoji at each start.
  alias: { 'string-width': './src/cli/string-width.ts' },
  metafile: true,
  chunkNames: 'chunk-[name]-[hash]',
  // Bundled CommonJS packages call require for Node's own modules.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
})

const cli = `${root}/dist/cli.js`
await writeFile(cli, `#!/usr/bin/env node\n${await readFile(cli, 'utf8')}`)
await chmod(cli, 0o755)
await writeFile(`${root}/dist/THIRD-PARTY-LICENSES`, await licenses(Object.keys(metafile.inputs)))
console.log(`built dist/ of ${manifest.name} ${manifest.version}`)

/** The licences of the packages whose code is inside the bundle, as they ask for. */
async function licenses(inputs) {
  const names = new Set(inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  const texts = await Promise.all(
    [...names].sort().map(async (name) => {
      const directory = `${root}/node_modules/${name}`
      const { version, license } = JSON.parse(await readFile(`${directory}/package.json`, 'utf8'))
      const file = (await readdir(directory)).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file ? await readFile(`${directory}/${file}`, 'utf8') : ''
      return `${name} ${version} (${license})\n\n${text}`
    }),
  )
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}
