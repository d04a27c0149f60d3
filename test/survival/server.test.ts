/** The server dies, or is replaced by another version: sessions do not notice, readers go on where they were. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sessionLog } from '../../src/base/paths.js'
import { requireManager, root } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import type { Shown } from './soak/history.js'
import { Server } from './soak/http.js'
import { midTurn, ofType, settled } from './stage.js'

requireManager()

survives('server-killed', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id, daemon, release } = await midTurn(a)
    const server = new Server(a)
    t.teardown(() => server.end())
    const shown: Shown = { reader: 'reader', sessionId: id, lines: [], damaged: [] }
    let isOver = false
    const reading = server.follow(shown, () => (isOver ? statSync(sessionLog(a.home, id)).size : undefined))
    for (let kill = 1; kill <= 3; kill++) {
      await server.insist('GET', '/healthz')
      await until(() => shown.lines.length > 0, 'the reader is connected')
      t.ok(server.kill())
      const messageId = `m-${kill}`
      const { status } = await server.insist('POST', `/v1/sessions/${id}/messages`, {
        messageId,
        content: `say ${kill}`,
      })
      t.match(status, /202|409/, 'a message is taken once, however often it is sent')
    }
    t.match(a.show(id), { status: 'running', pid: daemon })
    release()
    t.equal(a.do('wait', id).status, 0)
    await settled(t, a, id)
    isOver = true
    await reading
    t.strictSame(
      shown.lines.map(({ line }) => JSON.parse(line)),
      a.events(id),
      'the reader has each line once, in order',
    )
    t.equal(ofType(a, id, 'user_message').length, 3)
  },
})

survives('server-upgraded', {
  under: supervisors,
  proof: async (t, name) => {
    const installed = join(tempDir(t), 'installed')
    for (const name of ['dist', 'units', 'package.json'])
      cpSync(join(root, name), join(installed, name), { recursive: true })
    const { a } = await place(t, name)
    const cli = join(installed, 'dist', 'cli.cjs')
    const does = (...args: string[]) => spawnSync(process.execPath, [cli, ...args], { env: a.env, encoding: 'utf8' })
    const serve = async () => {
      const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--json'], { env: a.env })
      t.teardown(() => child.kill('SIGKILL'))
      await new Promise((resolve) => child.stdout.once('data', resolve))
      return child
    }
    const file = join(a.dir, 'release')
    const { sessionId: id } = JSON.parse(does('run', '--json', '-C', a.dir, `hold ${file}`).stdout)
    await a.untilType(id, 'message_accepted')
    const old = await serve()
    cpSync(join(installed, 'dist'), join(installed, 'new'), { recursive: true })
    renameSync(join(installed, 'dist'), join(installed, 'old'))
    renameSync(join(installed, 'new'), join(installed, 'dist'))
    const gone = new Promise((resolve) => old.once('exit', resolve))
    const { status, stdout, stderr } = does('serve', '--replace', '--json')
    t.equal(status, 0, stderr)
    const { pid } = JSON.parse(stdout) as { pid: number }
    t.teardown(() => process.kill(pid, 'SIGKILL'))
    await gone
    t.match(a.show(id), { status: 'running', epoch: 1 })
    t.match(does('send', id, 'say new').status, 0)
    t.equal(spawnSync('touch', [file]).status, 0)
    t.equal(does('wait', id).status, 0)
    t.match(a.said(id), ['held', 'new'])
    await settled(t, a, id)
  },
})
