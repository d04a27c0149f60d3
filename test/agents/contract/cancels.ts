/** A cancel in each state of an agent: it is told, everything open is closed, and no process is left. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Test } from 'tap'
import type { Check } from './stage.js'
import { Play, processesWith } from './stage.js'

async function cancel(t: Test, play: Play): Promise<void> {
  t.ok(play.marked().length > 0, 'processes of the session are known by their mark')
  t.match(await play.do('cancel'), { status: 0 })
  t.match(await play.end(), { type: 'session_cancelled' }, play.story())
  const { status } = await play.show()
  t.equal(status, 'cancelled')
  for (const { requestId } of play.all('approval_request')) t.ok(play.isSettled(requestId), 'no question stays open')
  t.equal(play.all('turn_ended').length, play.all('turn_started').length, play.story())
  await play.wait(() => play.marked().length === 0, 'no process of the session lives')
}

export const cancels: readonly Check[] = [
  {
    name: 'cancelled while an answer streams',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'slow 400 50')
      await play.streams()
      await cancel(t, play)
      t.match(play.all('turn_ended'), [{ reason: 'interrupted' }])
      t.match(play.texts[0], /^tick0 tick1/, 'what was said so far is there, whole')
      const [request] = await play.requests()
      t.equal(request?.hungUp, true)
    },
  },
  {
    name: 'cancelled while a tool runs whose child has a session of its own',
    async run(t, stage) {
      const mark = `never-${randomBytes(6).toString('hex')}`
      const loop = `until [ -e ${mark} ]; do sleep 0.1; done`
      const play = await Play.begin(t, stage, `bash setsid sh -c 'touch started; ${loop}' & ${loop}`)
      await play.until('approval_request')
      t.match(await play.do('approve'), { status: 0 })
      await play.appears('started')
      t.ok(processesWith('cmdline', mark).length >= 2, 'the tool and its child run')
      await cancel(t, play)
      t.same(processesWith('cmdline', mark), [])
      t.equal(play.all('tool_result').length, play.all('tool_use').length, play.story())
    },
  },
  {
    name: 'cancelled while a question waits',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'bash touch made')
      const { requestId } = await play.until('approval_request')
      await cancel(t, play)
      t.match(play.all('approval_voided'), [{ requestId }])
      t.not((await play.do('approve', requestId)).status, 0, 'it cannot be answered any more')
      t.notOk(existsSync(play.path('made')))
    },
  },
]
