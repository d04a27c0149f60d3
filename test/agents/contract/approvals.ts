/** Actions that are asked for: allowed, denied, allowed for good; and the mode that decides what is asked for. */
import { existsSync } from 'node:fs'
import type { Check } from './stage.js'
import { Play } from './stage.js'

export const approvals: readonly Check[] = [
  {
    name: 'an action is asked for, approved, and done',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'bash touch made ;; text All done.')
      const { requestId, input } = await play.until('approval_request')
      t.match(JSON.stringify(input), /touch made/)
      t.notOk(existsSync(play.path('made')))
      t.equal((await play.show()).status, 'waiting_approval')
      t.match(await play.do('approve'), { status: 0 })
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      t.ok(existsSync(play.path('made')))
      t.equal(play.texts.at(-1), 'All done.')
      t.match(play.all('approval_response'), [{ requestId, decision: 'allow', by: 'user' }])
      const [tool] = play.all('tool_use')
      t.match(play.all('tool_result'), [{ toolId: tool?.toolId }])
      t.not((await play.do('approve', requestId)).status, 0, 'a second answer is refused')
    },
  },
  {
    name: 'a denial keeps it from being done, and its reason gets as far as it can',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'bash touch made')
      const { options } = await play.until('approval_request')
      const deny = options?.find(({ decision }) => decision === 'deny')
      if (options !== undefined) t.equal(deny?.reason === true, stage.can.denyReason, 'people are told whether it will')
      t.match(await play.do('deny', '-r', 'not today'), { status: 0 })
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      t.notOk(existsSync(play.path('made')))
      t.match(play.all('approval_response'), [{ decision: 'deny', reason: 'not today' }])
      const requests = await play.requests()
      const heard = requests.some(({ lastResult = '' }) => lastResult.includes('not today'))
      t.equal(heard, stage.can.denyReason, 'whether the model has heard the reason')
      t.equal(requests.length > 1, stage.can.goesOnAfterDenial, 'whether the model was asked to go on')
    },
  },
  {
    name: 'always means that the same is not asked again',
    async run(t, stage) {
      const play = await Play.begin(t, stage, 'bash touch made ;; bash touch made ;; text Both done.')
      await play.until('approval_request')
      t.match(await play.do('approve', '--always'), { status: 0 })
      t.match(await play.end(), { type: 'session_completed', metadata: { toolStats: { totalCalls: 2 } } }, play.story())
      t.equal(play.all('approval_request').length, 1)
      t.equal(play.texts.at(-1), 'Both done.')
    },
  },
  {
    name: 'the permission mode is set and read back, at the start and when the session is resumed',
    async run(t, stage) {
      const { mode } = stage.can
      const play = await Play.begin(t, stage, 'text First.', '--permission-mode', mode)
      t.match(await play.end(), { type: 'session_completed' }, play.story())
      t.match(await play.do('send', 'MOCK: text Second.'), { status: 0 })
      t.match(await play.end(2), { type: 'session_completed' }, play.story())
      const modes = play.all('agent_session').map(({ permissionMode }) => permissionMode)
      t.ok(modes.length >= 2, play.story())
      t.same(new Set(modes), new Set([mode]))
    },
  },
]
