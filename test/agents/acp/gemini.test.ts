/** The real gemini against the mock model. What all agents have in common is in the contract suite. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { gemini } from '../../../src/agents/acp/profiles.js'
import { treeOf } from '../../../src/base/tree.js'
import { skipOf } from '../../helpers/real-agents.js'
import { prompt, texts } from './fake.js'
import { stage } from './real.js'

t.test('the real gemini', { skip: skipOf('gemini') }, async (t) => {
  const { start, tripped, mock } = await stage(t, gemini)

  t.test('an answer, tools that ask, and a session that is gone on with', async (t) => {
    const agent = await start(t)
    await prompt(agent, 'MOCK: think A sentence of the answer.')
    t.match(agent.all('agent_session'), [
      { nativeId: /^[0-9a-f-]{36}$/, model: 'gemini-2.5-flash', permissionMode: 'default', agentVersion: /^0\./ },
    ])
    t.same(texts(agent), ['A sentence of the answer.'])
    t.match(texts(agent, 'thinking'), [/I am thinking about it/])
    t.match(agent.all('usage'), [{ scope: 'turn', input: 120, output: 17 }])

    const allowed = prompt(agent, 'MOCK: bash touch made ;; bash touch made ;; text Done.')
    const { requestId, tool, input } = await agent.until('approval_request')
    t.match([tool, input], ['run_shell_command', { title: 'touch made' }])
    await agent.running.decide({ requestId, decision: 'allow_always' })
    await allowed
    t.ok(existsSync(join(agent.workingDir, 'made')))
    t.equal(agent.all('approval_request').length, 1, 'the second time it does not ask')
    t.equal(agent.all('tool_use').length, 2)

    const edit = prompt(agent, 'MOCK: write out.txt hello')
    const write = await agent.until('approval_request', (event) => event.tool === 'write_file')
    t.match(write.input, { changes: [{ path: /out\.txt$/, newText: 'hello' }] })
    await agent.running.decide({ requestId: write.requestId, decision: 'deny' })
    await edit
    t.match(agent.all('tool_use').at(-1), { tool: 'write_file', files: [/out\.txt$/] })
    t.match(agent.all('tool_result').at(-1), { isError: true, content: '[denied]' })
    t.notOk(existsSync(join(agent.workingDir, 'out.txt')))
    t.same([agent.all('raw'), agent.all('system')], [[], []])

    const next = await agent.again()
    await next.running.ready
    t.same(
      next.events.map(({ type }) => type),
      ['agent_session'],
      'nothing of the history is told again',
    )
    t.equal(await next.running.has({ messageId: 'm', content: 'MOCK: write out.txt hello' }), true)
    t.equal(await next.running.has({ messageId: 'm', content: 'MOCK: never said' }), undefined)
    const asked = prompt(next, 'MOCK: bash touch made')
    t.match(await next.until('approval_request'), { input: { title: 'touch made' } }, 'always was for that process')
    await next.running.interrupt()
    await asked
    t.match(next.all('turn_ended'), [{ turn: 4, reason: 'interrupted' }])
    const members = treeOf([next.running.pid ?? 0])
    await next.running.finish()
    t.same(await next.running.ended, { kind: 'finished' })
    t.same(treeOf(members.map(({ pid }) => pid)), [])
  })

  t.test('with a key alone, and no choice of a login', async (t) => {
    const agent = await start(t, { model: 'gemini-2.5-flash' })
    await agent.running.stop()
    const file = join(agent.workingDir, '..', 'home', '.gemini', 'settings.json')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), security: {} }))
    const fresh = await agent.again({ nativeId: undefined })
    await prompt(fresh, 'MOCK: text Hello.')
    const next = await fresh.again()
    await next.running.ready
    t.match(next.all('agent_session'), [{ model: 'gemini-2.5-flash' }])
    // The second time it is loaded, the first time would have lost it.
    const third = await next.again({ nativeId: fresh.all('agent_session')[0]?.nativeId })
    await prompt(third, 'MOCK: text Still there.')
    const requests = await mock.requests()
    t.same(requests.at(-1)?.scripts, ['text Hello.', 'text Still there.'])
  })

  t.test('modes', async (t) => {
    const edits = await start(t, { permissionMode: 'acceptEdits' })
    await prompt(edits, 'MOCK: write out.txt hello')
    t.match(edits.all('agent_session'), [{ permissionMode: 'acceptEdits' }])
    t.same(edits.all('approval_request'), [])
    t.ok(existsSync(join(edits.workingDir, 'out.txt')))
    t.same(
      texts(edits).filter((text) => text?.includes('MODE_UPDATE')),
      [],
    )
    const plan = await edits.again()
    await plan.running.ready
    t.match(plan.all('agent_session'), [{ permissionMode: 'acceptEdits' }], 'it is set again')
  })

  t.test('nobody is logged in; a session that it does not know; an error of the model', async (t) => {
    const agent = await start(t)
    await prompt(agent, 'MOCK: error 400')
    t.match(agent.all('turn_ended'), [
      { reason: 'failed', error: /mock error 400/, cause: { result: 'agent', status: 400 } },
    ])
    const forgotten = await agent.again({ nativeId: '00000000-0000-4000-8000-000000000000' })
    t.match(await forgotten.running.ended, { kind: 'forgotten' })
    const nobody = await start(t, {}, { GEMINI_API_KEY: '', GOOGLE_GEMINI_BASE_URL: '' })
    t.match(await nobody.running.ended, { kind: 'died', cause: { result: 'login' }, error: /set GEMINI_API_KEY/ })
  })

  t.test('nobody but the mock was called', async (t) => {
    t.same(tripped, [])
  })
})
