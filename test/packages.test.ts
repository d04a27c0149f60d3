/** What npm installs, by the lock files: that it is what was looked at. */
import { readFileSync } from 'node:fs'
import t from 'tap'

interface Locked {
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** Programs that npm runs at installation, by the lock file that names them: each was looked at. */
const runAtInstallation: Record<string, readonly string[]> = {
  'package-lock.json': ['esbuild'],
  'test/agents/package-lock.json': ['@anthropic-ai/claude-code', '@github/keytar', 'node-pty', 'opencode-ai'],
}

t.test('what is installed is what was locked, and runs nothing then', async (t) => {
  for (const [file, known] of Object.entries(runAtInstallation)) {
    const lock: { lockfileVersion: number; packages: Record<string, Locked> } = JSON.parse(read(file))
    t.equal(lock.lockfileVersion, 3, file)
    const all = Object.entries(lock.packages).filter(([path]) => path !== '')
    t.ok(all.length > 20, `${file}: ${all.length} packages`)
    const loose = all.filter(([, { integrity = '', link, resolved = 'https:' }]) => {
      return link === true || !integrity.startsWith('sha512-') || !resolved.startsWith('https:')
    })
    t.same(loose, [], `${file}: each package has a hash, and none comes from elsewhere`)
    const running = all.filter(([, { hasInstallScript }]) => hasInstallScript === true)
    const names = new Set(running.map(([path]) => path.replace(/^.*node_modules\//, '')))
    t.same([...names].sort(), known, `${file}: no other package runs anything`)
    if (file === 'package-lock.json')
      t.ok(
        running.every(([, { dev }]) => dev === true),
        'nothing does that people install',
      )
  }
  const hooks = /^((pre|post)?install|prepare)$/
  const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json'))
  t.same(
    Object.keys(scripts).filter((name) => hooks.test(name)),
    [],
  )
  for (const [name, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
    t.match(version, /^(npm:@?[\w./-]+@)?[\^~]?\d/, `${name} is a version of the registry`)
  }
})
