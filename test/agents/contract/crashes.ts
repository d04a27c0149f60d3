/** SIGKILL, of the agent and of the daemon: the conversation goes on by itself, and nothing is said twice. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Check } from './stage.js'
import { Play, processesWith, sameConversation } from './stage.js'

/** The session's processes that the daemon itself has started. */
async function agentPids(play: Play): Promise<number[]> {
  const daemon = await daemonPid(play)
  const parentOf = (pid: number) => {
    const [, parent] = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(parent)
  }
  return play.marked().filter((pid) => parentOf(pid) === daemon)
}

async function daemonPid(play: Play): Promise<number> {
  const { pid } = await play.show()
  if (pid === undefined) throw new Error(`no daemon runs:\n${play.story()}`)
  return pid
}

async function killDaemon(play: Play): Promise<void> {
  process.kill(await daemonPid(play), 'SIGKILL')
  await play.wait(() => play.all('daemon_started').length === 2, 'the daemon is started again')
}

/** The prompt has reached the model, and stands once in whatever it was shown. */
async function saidOnce(t: Test, play: Play): Promise<void> {
  const requests = await play.requests()
  const counts = requests.map(({ scripts = [] }) => scripts.filter((script) => script === play.script).length)
  t.same(new Set(counts), new Set([1]), 'the model is shown the prompt once')
  t.equal(play.all('message_sent').filter(({ messageId }) => messageId === 'prompt').length, 1)
  t.same(play.all('input_request'), [], 'no message had an unknown fate')
}

export const crashes: readonly Check[] = [
  {
    name: 'the agent is killed in mid-turn: it is resumed, and the turn is finished',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'slow 100 50')
      await play.streams()
      const pids = await agentPids(play)
      t.equal(pids.length, stage.can.process ? 1 : 0, 'the agent is a process of its own, or none')
      if (!stage.can.process) return
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      t.equal(play.all('daemon_started').length, 1, 'by the same daemon')
      t.match(play.all('turn_ended')[0], { reason: 'interrupted' })
      t.ok(
        play.texts.some((text) => text.endsWith('tick98 tick99')),
        play.story(),
      )
      await saidOnce(t, play)
    },
  },
  {
    name: 'the daemon is killed while a tool runs: the conversation is resumed, and finished',
    async run(t, stage) {
      const go = `go-${randomBytes(6).toString('hex')}`
      const loop = `until [ -e ${go} ]; do sleep 0.1; done`
      const play = await Play.begin(t, stage, `bash touch started; ${loop} ;; text Done after all.`)
      await play.until('approval_request')
      t.match(await play.do('approve'), { status: 0 })
      await play.appears('started')
      const before = processesWith('cmdline', go)
      t.ok(before.length > 0, 'the tool runs')
      await killDaemon(play)
      t.notOk(
        processesWith('cmdline', go).some((pid) => before.includes(pid)),
        'nothing of the old tool lives',
      )
      writeFileSync(play.path(go), '')
      t.match(await play.approveAll(), { type: 'session_completed' }, play.story())
      t.match(play.texts.at(-1), /Done after all\./, play.story())
      sameConversation(t, play, stage)
      t.match(play.all('daemon_exited')[0], { result: 'signal', status: 'KILL' })
      await saidOnce(t, play)
    },
  },
  {
    name: 'the daemon is killed while a question waits: it is asked again',
    async run(t, stage) {
      const { keepsQuestions } = stage.can
      // Agents that ask anew may take the unanswered call for a failed one, and go on with the next step.
      const steps = keepsQuestions ? 1 : 2
      const play = await Play.begin(t, stage, `${'bash touch made ;; '.repeat(steps)}text It is made.`)
      const { requestId } = await play.until('approval_request')
      await killDaemon(play)
      if (keepsQuestions) {
        t.equal(play.isSettled(requestId), false, 'it is still open')
        t.match(await play.do('approve', requestId), { status: 0 })
      } else {
        await play.until('approval_request', (request) => request.requestId !== requestId)
        t.match(play.all('approval_voided'), [{ requestId }])
        t.not((await play.do('approve', requestId)).status, 0, 'the old one cannot be answered')
      }
      t.match(await play.approveAll(), { type: 'session_completed' }, play.story())
      t.ok(existsSync(play.path('made')))
      t.equal(play.texts.at(-1), 'It is made.')
      const ids = play.all('approval_request').map((request) => request.requestId)
      if (keepsQuestions) t.same(new Set(ids), new Set([requestId]), play.story())
      await saidOnce(t, play)
    },
  },
]
