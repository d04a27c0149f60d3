/** Writes and syncs fail, are not allowed, or take long: the kernel's answers, given by strace to one program alone. */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import type { Loose } from '../../src/session/life.js'
import { cliPath, requireManager } from '../helpers/agentz.js'
import type { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { type Child, start } from '../helpers/program.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { midTurn, ofType, settled } from './stage.js'
import { wordsOf } from './words.js'

requireManager()

/** Only calls that have to do with these files, in all threads. */
const inject = (what: string, ...paths: string[]) => [
  ...['strace', '-f', '-qq', '-o', '/dev/null', '-e', `inject=${what}`],
  ...paths.flatMap((path) => ['-P', path]),
]

/** Makes the calls of a process that runs fail from now on. @returns how to let it be again */
async function attach(t: Test, pid: number, what: string, ...paths: string[]): Promise<() => Promise<void>> {
  const [strace = '', ...rest] = inject(what, ...paths)
  const tracer: Child = start(t, [strace, ...rest, '-p', String(pid)])
  const isTraced = () => new RegExp(`TracerPid:\\t${tracer.pid}\\n`).test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  await until(isTraced, 'it is traced')
  return async () => {
    tracer.process.kill('SIGTERM')
    await tracer.ended
  }
}

const messages = (a: Talk, id: string) =>
  ofType(a, id, 'user_message').flatMap(({ content, by }) => (by === 'user' ? [content] : []))

survives('io-error', {
  needs: ['strace'],
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id, daemon, release } = await midTurn(a)
    const log = sessionLog(a.home, id)
    for (const call of ['fdatasync', 'write']) {
      const sender = [...inject(`${call}:error=EIO`, log), process.execPath, cliPath, 'send', id, `say no-${call}`]
      const { code, stderr } = await start(t, sender, a.env).ended
      t.match({ code, stderr }, { code: 1, stderr: /cannot append to .*EIO.*\n[A-Z]/s }, `${call}: not acknowledged`)
    }
    t.equal(a.do('send', id, 'say kept').status, 0)
    await until(() => ofType(a, id, 'message_sent').length === 3, 'it has both that are in the file')
    await attach(t, daemon, 'fdatasync:error=EIO', log)
    release()
    // The next sync would be told OK: only another process can know what is in the file.
    t.match(await a.untilType(id, 'daemon_exited'), { result: 'exit-code', status: 74 })
    const more = name === 'plain' ? ['say back'] : []
    for (const text of more) t.equal(a.do('send', id, text).status, 0, 'nothing else starts it again')
    // It asks, where it cannot know whether the agent has what was under way.
    const rests = ({ type }: Loose) => type === 'session_completed' || type === 'input_request'
    await a.until(id, (all) => all.some(rests), 'it has gone on')
    t.match(a.show(id), { status: /^(completed|waiting_input)$/, epoch: 2, restarts: 1, damaged: 0 })
    t.strictSame(
      messages(a, id),
      ['say no-fdatasync', 'say kept', ...more],
      'what was acknowledged, and what was written but not synced',
    )
    const sent = ofType(a, id, 'message_sent').map(({ messageId }) => messageId)
    t.equal(new Set(sent).size, sent.length, 'nothing is sent twice')
    t.equal(a.do('cancel', id).status, 0)
    await settled(t, a, id)
  },
})

survives('quota', {
  needs: ['strace'],
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id, daemon, release } = await midTurn(a)
    const log = sessionLog(a.home, id)
    const refuse = inject('write:error=EDQUOT', log, a.home.registry)
    for (const args of [
      ['send', id, 'say no'],
      ['run', '-d', '-C', a.dir, 'say no'],
    ]) {
      const { code, stdout, stderr } = await start(t, [...refuse, process.execPath, cliPath, ...args], a.env).ended
      t.match(
        { code, stdout, stderr },
        { code: 1, stdout: '', stderr: /quota exceeded.*\n[A-Z]/s },
        `${args[0]} refuses`,
      )
    }
    t.equal(a.ls().length, 1, 'nothing is left of the session that could not be made')
    const calm = await attach(t, daemon, 'write:error=EDQUOT', log)
    release()
    await until(() => /quota exceeded/.test(wordsOf(a, name, id)), 'the daemon waits, and says why')
    t.equal(a.show(id).status, 'running')
    await calm()
    await a.untilType(id, 'session_completed')
    t.strictSame(a.said(id), ['held'], 'nothing is missing, nothing doubled')
    t.strictSame(messages(a, id), [], 'and nothing that was refused')
    await settled(t, a, id)
  },
})

survives('slow-disk', {
  needs: ['strace'],
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { sessionId } = await a.ticking()
    const log = sessionLog(a.home, sessionId)
    const calm = await attach(t, Number(a.show(sessionId).pid), 'fdatasync:delay_enter=8s', log)
    const ticks = () => a.events(sessionId).filter(({ content }) => content === 'tick')
    const before = ticks().length
    await until(() => ticks().length > before + 80, 'it goes on')
    const times = ticks()
      .slice(before)
      .map(({ timestamp }) => Date.parse(String(timestamp)))
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0))
    t.ok(Math.max(...gaps) < 1000, `its daemon never stands still: ${Math.max(...gaps)} ms at most`)
    const begin = performance.now()
    t.equal(a.show(sessionId).status, 'running')
    const other = await a.over('say other')
    t.strictSame(a.said(other), ['other'])
    const took = performance.now() - begin
    t.ok(took < 8000, `neither readers nor others wait for its disk: ${took} ms`)
    await calm()
    t.equal(a.do('cancel', sessionId).status, 0)
    await settled(t, a, sessionId)
  },
})
