// Builds dist/: the programs that people and units run, each one file, because to find and load some dozen small files takes
// longer than what `agentz ls` or a starting daemon has to do. What a program imports dynamically is in its file too, but
// runs only when it is asked for; the server is a program of its own, since only `serve` loads its framework. CommonJS, since
// Node takes some milliseconds less to begin with it.
import { rmSync } from 'node:fs'
import { chmod, cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(await readFile(`${root}/package.json`, 'utf8'))

/** The server stays outside of the command line's file. */
const serverApart = {
  name: 'server-apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/server\/serve\.js$/ }, () => ({ path: './server.cjs', external: true })),
}

/** Who starts no agent needs no more of it than its name: what drives it is the daemon's alone, and stays outside. */
const runnersApart = {
  name: 'runners-apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/run\.js$/ }, ({ path, importer }) =>
      importer.includes('/src/agents/') ? { path, external: true } : undefined,
    ),
}

rmSync(`${root}/dist`, { recursive: true, force: true })
const programs = {
  cli: 'src/cli/main.ts',
  server: 'src/server/serve.ts',
  daemon: 'src/daemon/main.ts',
  reap: 'src/daemon/reap.ts',
  chat: 'src/agents/chat/main.ts',
}
const inputs = []
for (const [name, entry] of Object.entries(programs)) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: `dist/${name}.cjs`,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    metafile: true,
    plugins: { cli: [serverApart, runnersApart], server: [runnersApart] }[name] ?? [],
    // yargs measures text with it, to lay out its help. Two copies compile regular expressions of all emoji at each start.
    alias: { 'string-width': './src/cli/string-width.ts' },
    define: { 'import.meta.url': '__moduleUrl' },
    banner: {
      js: `${name === 'cli' ? '#!/usr/bin/env node\n' : ''}const __moduleUrl=require('node:url').pathToFileURL(__filename).href;`,
    },
    logLevel: 'warning',
  })
  inputs.push(...Object.keys(metafile.inputs))
}

// For programs of others: what needs Node is loaded only where it is used.
await build({
  absWorkingDir: root,
  entryPoints: ['src/client/client.ts'],
  outdir: 'dist/client',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  external: ['node:*'],
  logLevel: 'warning',
})

await chmod(`${root}/dist/cli.cjs`, 0o755)
await cp(`${root}/src/viewer`, `${root}/dist/viewer`, { recursive: true, filter: (path) => !path.endsWith('.json') })
await writeFile(`${root}/dist/THIRD-PARTY-LICENSES`, await licenses(inputs))
console.log(`built dist/ of ${manifest.name} ${manifest.version}`)

/** The licences of the packages whose code is inside the bundles, as they ask for. */
async function licenses(paths) {
  const names = new Set(paths.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
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
