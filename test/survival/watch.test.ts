/** The kernel tells no more of changes than it can, and readers are stopped while much is written. */
import { appendFileSync, closeSync, fchmodSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { cliPath, lines, requireManager } from '../helpers/agentz.js'
import type { Talk } from '../helpers/fake-claude.js'
import { tempDir } from '../helpers/home.js'
import { type Child, program, start } from '../helpers/program.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { midTurn, settled } from './stage.js'

requireManager()

const COUNT = 30_000
const note = (n: number) => `{"type":"note","n":${n},"pad":"${'x'.repeat(n % 97)}"}\n`

/** In a namespace of its own, where the limit is 0: other programs of this user keep what they have. */
const without = (limit: string) => [
  ...['unshare', '-Ur', 'sh', '-c', `echo 0 > /proc/sys/user/${limit} && exec "$@"`, 'sh'],
  process.execPath,
]
const watching = `try { require('fs').watch('/tmp').close() } catch (error) { console.log(error.code) }`

/** What `logs -f --raw` prints until the session is over. */
async function follows(t: Test, a: Talk, id: string, reader: Child, release: () => void): Promise<void> {
  await reader.said('"message_accepted"')
  const latencies: number[] = []
  for (let n = 0; n < 5; n++) {
    appendFileSync(sessionLog(a.home, id), note(n))
    const before = performance.now()
    await reader.said(note(n))
    latencies.push(performance.now() - before)
  }
  t.ok(Math.min(...latencies) < 500, `each line comes without a bell: ${latencies.map(Math.round)} ms`)
  release()
  const { code, stdout } = await reader.ended
  t.equal(code, 0)
  t.ok(readFileSync(sessionLog(a.home, id), 'utf8').startsWith(stdout), 'byte for byte')
  t.match(stdout, /"session_completed"/)
}

survives('inotify-exhausted', {
  needs: ['userns'],
  under: ['systemd', 'plain'],
  proof: async (t, name) => {
    for (const [limit, code] of [
      ['max_inotify_instances', 'EMFILE'],
      ['max_inotify_watches', 'ENOSPC'],
    ] as const) {
      const probe = await start(t, [...without(limit), '-e', watching]).ended
      t.equal(probe.stdout.trim(), code, 'nothing can be watched, or this test is blind')
      const { a } = await place(t, name)
      const { id, release } = await midTurn(a)
      const reader = start(t, [...without(limit), cliPath, 'logs', '-f', '--raw', id], a.env)
      await follows(t, a, id, reader, release)
      await settled(t, a, id)
    }
  },
})

survives('inotify-overflowed', {
  once: async (t) => {
    const directory = tempDir(t)
    const path = join(directory, 'log')
    writeFileSync(path, note(0))
    const reader = await program(
      directory,
      `import { watch, writeFileSync } from 'node:fs'
      import { tail } from './src/log/tail.js'
      const [path, seen] = process.argv.slice(2)
      let count = 0
      watch(path, () => { count++ })
      const abort = new AbortController()
      for await (const item of tail(path, { from: 0, signal: abort.signal })) {
        if (item.kind !== 'bytes') continue
        writeFileSync(seen, item.bytes, { flag: 'a' })
        if (item.bytes.includes('"last"')) abort.abort()
        else console.log('reading')
      }
      for (let before = -1; count > before; await new Promise((resolve) => setTimeout(resolve, 200))) before = count
      console.log(JSON.stringify({ count }))
      process.exit()`,
    )
    const seen = join(directory, 'seen')
    const child = start(t, [process.execPath, reader, path, seen])
    await child.said('reading')
    child.process.kill('SIGSTOP')
    const fd = openSync(path, 'a')
    for (let n = 1; n <= COUNT; n++) {
      writeSync(fd, note(n))
      // Two kinds in turn, which the kernel does not fold into one.
      fchmodSync(fd, n % 2 ? 0o600 : 0o640)
    }
    writeSync(fd, '{"last":1}\n')
    closeSync(fd)
    child.process.kill('SIGCONT')
    const { code, stdout } = await child.ended
    t.equal(code, 0)
    const { count } = JSON.parse(lines(stdout).at(-1) ?? '')
    t.ok(count > 100 && count < 2 * COUNT, `the kernel told of ${count} of ${2 * COUNT} changes, or this test is blind`)
    t.ok(readFileSync(seen).equals(readFileSync(path)), 'and every byte was read once, in order')
  },
})

survives('appends-while-blocked', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id, daemon, release } = await midTurn(a)
    const path = sessionLog(a.home, id)
    const reader = start(t, [process.execPath, cliPath, 'logs', '-f', '--raw', id], a.env)
    await reader.said('"message_accepted"')
    for (const pid of [reader.pid, daemon]) process.kill(pid, 'SIGSTOP')
    const fd = openSync(path, 'a')
    for (let n = 0; n < COUNT; n++) writeSync(fd, note(n))
    closeSync(fd)
    t.equal(a.do('send', id, 'say heard').status, 0, 'who speaks waits for neither')
    for (const pid of [reader.pid, daemon]) process.kill(pid, 'SIGCONT')
    release()
    const { code, stdout } = await reader.ended
    t.equal(code, 0)
    t.strictSame(
      lines(stdout).filter((line) => line.includes('"note"')),
      Array.from({ length: COUNT }, (_, n) => note(n).trimEnd()),
      'the reader has seen each, once, in order',
    )
    t.ok(a.said(id).includes('heard'), 'and the daemon what came after them')
    await settled(t, a, id)
  },
})
