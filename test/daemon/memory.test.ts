/** Who was killed for want of memory: a tool long ago, or the daemon now. Both really are, under the real manager. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { notedKills } from '../../src/daemon/memory.js'
import { Agentz, requireManager } from '../helpers/agentz.js'
import { newHome, tempDir } from '../helpers/home.js'

requireManager()

const eater = 'const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))'
const node = process.execPath

t.test('a daemon that is killed long after a tool of its was killed for memory: a signal', async (t) => {
  const a = new Agentz(t)
  const script = `"${node}" -e "${eater}"; echo eaten; exec sleep 600`
  const { sessionId } = a.run('--memory', '256M', '-a', 'command', '--', 'sh', '-c', script)
  const events = await a.until(sessionId, (all) => all.some(({ oomKills }) => oomKills !== undefined), 'it is noted')
  t.match(
    events.find(({ oomKills }) => oomKills !== undefined),
    { type: 'system', by: 'daemon', epoch: 1, oomKills: 1, content: /memory has run out/ },
  )
  t.equal(notedKills(a.home, sessionId, 1), 1)
  process.kill(Number(a.show(sessionId).pid), 'SIGKILL')
  t.match(await a.untilType(sessionId, 'daemon_exited'), { result: 'signal', status: 'KILL' })
  t.match(await a.untilType(sessionId, 'session_interrupted'), { cause: { result: 'signal' } })
})

t.test('a daemon that the kernel kills for memory: oom-kill', async (t) => {
  const a = new Agentz(t)
  const go = join(tempDir(t), 'go')
  // Three that grow slowly, so that none is larger than what the kernel is told of the daemon.
  const grows = `const all = []; setInterval(() => all.push(Buffer.alloc(2e6, 1)), 10)`
  const script = `echo ready; until [ -e ${go} ]; do sleep 0.05; done; for each in 1 2 3; do "${node}" -e "${grows}" & done; wait`
  const { sessionId } = a.run('--memory', '256M', '-a', 'command', '--', 'sh', '-c', script)
  const { pid } = await a.untilType(sessionId, 'daemon_started')
  // Not before its agent runs, which would inherit that.
  await a.until(sessionId, (all) => all.some(({ content }) => content === 'ready'), 'its agent runs')
  writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  writeFileSync(go, '')
  t.match(await a.untilType(sessionId, 'daemon_exited', 30_000), { result: 'oom-kill', code: 'killed', status: 'KILL' })
  t.match(await a.untilType(sessionId, 'session_interrupted', 30_000), { cause: { result: 'oom-kill' } })
})

t.test('what others have written into the file is no note of this daemon', async (t) => {
  const home = newHome(t)
  const id = '0123456789ab'
  t.equal(notedKills(home, id, 1), 0, 'there is no file')
  const lines = [
    '{"type":"system","by":"daemon","epoch":1,"content":"","oomKills":3}',
    '{"type":"system","by":"daemon","epoch":2,"content":"","oomKills":2}',
    '{"type":"system","by":"daemon","epoch":2,"content":"","oomKills":"9"}',
    '{"type":"system","by":"agent","epoch":2,"content":"\\"oomKills\\":7"}',
    '{"type":"text","by":"agent","epoch":2,"content":"","oomKills":5}',
    '{"type":"system","epoch":2,"oomKills":8',
    '{"type":"system","epoch":2,"oomKills":,8}',
  ]
  appendFileSync(sessionLog(home, id), `${lines.join('\n')}\n`)
  t.equal(notedKills(home, id, 2), 2)
  t.equal(notedKills(home, id, 3), 0)
})
