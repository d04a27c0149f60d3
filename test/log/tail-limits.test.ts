import { spawnSync } from 'node:child_process'
import { appendFileSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isRoot, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

/** A user of no name: inotify instances are counted for each, and this one is nobody else's. */
const UID = 64_917

const filler = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
count = 0
while libc.inotify_init() >= 0: count += 1
print("full", count, ctypes.get_errno(), flush=True)
sys.stdin.readline()
`

const as = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups']
/** Not the programs of the caller's own home: the other user cannot enter it. */
const env = { PATH: '/usr/bin:/bin' }
const runs = (...argv: string[]) => spawnSync(as[0] ?? '', [...as.slice(1), ...argv], { env, cwd: '/' }).status === 0
const able = isRoot && runs('python3', '-c', 'import ctypes') && runs(process.execPath, '-e', '0')
const skip = able ? false : 'to use up the inotify instances of another user takes root, setpriv and python3'

t.test('a machine that is out of inotify instances', { skip }, async (t) => {
  const directory = tempDir(t)
  const inside = join(directory, 'inside')
  mkdirSync(inside)
  const path = join(inside, 'log')
  writeFileSync(path, '{"n":1}\n')
  const follower = await program(
    inside,
    `import { watch } from 'node:fs'
    import { tail } from './src/log/tail.js'
    try { watch(process.argv[2]); console.log('watched') } catch (error) { console.log(error.code) }
    const abort = new AbortController()
    for await (const item of tail(process.argv[2], { from: 0, signal: abort.signal })) {
      if (item.kind === 'bytes') process.stdout.write(item.bytes)
      if (item.kind === 'bytes' && item.bytes.includes('last')) abort.abort()
    }`,
  )
  chownSync(directory, UID, UID)
  const full = start(t, [...as, 'python3', '-c', filler], env)
  await full.said('full')
  const reader = start(t, [...as, process.execPath, follower, path], env)
  await reader.said('EMFILE')
  await reader.said('{"n":1}')
  for (let n = 2; n < 10; n++) {
    appendFileSync(path, `{"n":${n}}\n`)
    await reader.said(`{"n":${n}}`)
  }
  appendFileSync(path, '{"n":"last"}\n')
  t.match(await reader.ended, { code: 0, stderr: '' })
  full.tell('enough\n')
  t.match(await full.ended, { code: 0 })
})
