/** How a conversation with an ACP agent begins: modes, login, history, and what may be wrong with each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fakes, prompt, texts } from './fake.js'

const fake = await fakes(t)
const modes = { plan: 'plan', default: 'default', bypassPermissions: 'yolo' }

t.test('the mode is set, in words of its own, and told in ours', async (t) => {
  const agent = await fake(t, { profile: { modes }, spec: { permissionMode: 'bypassPermissions' } })
  await agent.running.ready
  t.match(agent.all('agent_session'), [{ permissionMode: 'bypassPermissions' }])
  const usual = await fake(t, { profile: { modes } })
  await usual.running.ready
  t.match(usual.all('agent_session'), [{ permissionMode: 'default' }], 'not the one that it starts in')
  const own = await fake(t, { spec: { permissionMode: 'plan' } })
  await own.running.ready
  t.match(own.all('agent_session'), [{ permissionMode: 'plan' }])
})

t.test('a mode that reads back as another is told as what it is', async (t) => {
  const agent = await fake(t, { how: 'wrong', profile: { modes } })
  await agent.running.ready
  t.match(agent.all('agent_session'), [{ permissionMode: 'bypassPermissions' }])
  const foreign = await fake(t, { how: 'wrong', profile: { modes: { default: 'default' } } })
  await foreign.running.ready
  t.match(foreign.all('agent_session'), [{ permissionMode: 'yolo' }])
})

t.test('a mode that cannot be had ends the start', async (t) => {
  const refused = await fake(t, { how: 'refuse', profile: { modes, modeHint: 'Do this.' } })
  t.match(await refused.running.ended, {
    ...{ kind: 'died', again: false, cause: { result: 'permission-mode' } },
    error: 'fake refuses the permission mode default: not here Do this.',
  })
  const none = await fake(t, { spec: { permissionMode: 'acceptEdits' } })
  t.match(await none.running.ended, {
    ...{ kind: 'died', cause: { result: 'permission-mode' } },
    error: 'fake has no permission mode acceptEdits: it has default, plan, yolo',
  })
  const modeless = await fake(t, { how: 'no-modes', spec: { permissionMode: 'plan' } })
  t.match(await modeless.running.ended, { error: /has no permission mode plan: it has none/ })
})

t.test('an agent of a person’s own without modes', async (t) => {
  const agent = await fake(t, { how: 'no-modes' })
  await agent.running.ready
  t.equal(agent.all('agent_session')[0]?.permissionMode, undefined)
})

t.test('nobody is logged in; another protocol; no model; an exit', async (t) => {
  t.match(await (await fake(t, { how: 'auth' })).running.ended, {
    ...{ kind: 'died', again: false, cause: { result: 'login' } },
    error: /nobody is logged in to fake \(Authentication required\): log in with fake itself/,
  })
  t.match(await (await fake(t, { how: 'old' })).running.ended, { kind: 'died', error: /version 0 of the Agent Client/ })
  t.match(await (await fake(t, { spec: { model: 'big' } })).running.ended, {
    ...{ kind: 'died', error: /no way to choose a model/ },
  })
  t.match(await (await fake(t, { how: 'exit' })).running.ended, {
    kind: 'died',
    cause: { result: 'exit-code', status: 3 },
  })
  t.match(await (await fake(t, { spec: { command: ['no-such-program'] } })).running.ended, {
    ...{ kind: 'died', cause: { result: 'not-found' } },
  })
})

t.test('a session is gone on with: what is replayed is not told again', async (t) => {
  const note = join(t.testdir({}), 'note')
  const agent = await fake(t, {
    ...{ context: { nativeId: 'native', turns: 2 }, env: { FAKE_NOTE: note } },
    profile: { modes, replayPauseMs: 20 },
  })
  await agent.running.ready
  t.same(
    agent.events.map(({ type }) => type),
    ['agent_session'],
  )
  t.equal(readFileSync(note, 'utf8'), 'default', 'the mode is set again')
  t.equal(await agent.running.has({ messageId: 'm', content: 'second' }), true)
  t.equal(await agent.running.has({ messageId: 'm', content: 'first' }), undefined, 'it may have been said before')
  t.equal(await agent.running.has({ messageId: 'm', content: 'third' }), undefined)
  await prompt(agent, 'A new answer.')
  t.same(texts(agent), ['A new answer.'])
  t.match(agent.all('turn_started'), [{ turn: 3 }])
  t.equal(agent.all('usage')[0]?.costUsd, 0, 'the first total after a resume holds the turns of before')
})

t.test('a session is gone on with without a replay, and asked for its history when that matters', async (t) => {
  const profile = { recordsFirst: true } as const
  const agent = await fake(t, { how: 'resume', profile, context: { nativeId: 'native' } })
  await agent.running.ready
  t.equal(await agent.running.has({ messageId: 'm', content: 'third' }), false)
  t.equal(await agent.running.has({ messageId: 'm', content: 'second' }), true)
  await prompt(agent, 'An answer.')
  t.same(texts(agent), ['An answer.'])
})

t.test('a history that is gone', async (t) => {
  for (const how of ['', 'resume']) {
    const agent = await fake(t, { how, context: { nativeId: 'other' } })
    t.match(await agent.running.ended, { kind: 'forgotten', error: /not found/ })
    t.same(agent.events, [])
  }
  const none = await fake(t, { how: 'no-load', context: { nativeId: 'native' } })
  t.match(await none.running.ended, { kind: 'forgotten', error: 'fake cannot go on with an earlier session' })
})
