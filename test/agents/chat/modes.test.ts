import t from 'tap'
import { type ChatMode, grantOf, isChatMode, isOffered, modeState, mustAsk } from '../../../src/agents/chat/modes.js'
import type { Action } from '../../../src/agents/chat/tools/tool.js'

const file = (kind: 'read' | 'write', guarded: boolean): Action => {
  return { kind, tool: `${kind}_file`, path: guarded ? '/etc/x' : '/project/x', guarded }
}
const run = (command: string): Action => ({ kind: 'run', tool: 'shell', command })

t.test('what is asked for, by mode', async (t) => {
  const actions = [file('read', false), file('read', true), file('write', false), file('write', true), run('date')]
  const asks = (mode: ChatMode) => actions.map((action) => mustAsk(mode, action, new Set()))
  t.same(asks('plan'), [false, true, true, true, true])
  t.same(asks('default'), [false, true, true, true, true])
  t.same(asks('acceptEdits'), [false, true, false, true, true])
  t.same(asks('bypassPermissions'), [false, false, false, false, false])
})

t.test('what was allowed for good is not asked again, and nothing more is allowed by it', async (t) => {
  const asks = (allowed: Action, action: Action) => mustAsk('default', action, new Set([grantOf(allowed)]))
  t.equal(asks(run('date'), run('date')), false)
  t.equal(asks(run('date'), run('date; rm -r x')), true)
  t.equal(
    asks(file('write', false), {
      ...file('write', false),
      kind: 'write',
      path: '/project/y',
      guarded: false,
      tool: 'write_file',
    }),
    false,
  )
  t.equal(asks(file('write', false), file('write', true)), true, 'not outside')
  t.equal(asks(file('write', true), file('write', true)), false)
  t.equal(asks(file('write', true), file('write', false)), true, 'not inside')
  t.equal(asks(run(''), file('write', false)), true)
})

t.test('plan has no tools that change anything', async (t) => {
  t.equal(isOffered('plan', { changes: true }), false)
  t.equal(isOffered('plan', { changes: false }), true)
  t.equal(isOffered('default', { changes: true }), true)
})

t.test('the words', async (t) => {
  t.ok(isChatMode('acceptEdits'))
  for (const word of ['dontAsk', '', 'toString']) t.notOk(isChatMode(word), word)
  t.match(modeState('plan'), { currentModeId: 'plan', availableModes: [{ id: 'plan' }, { id: 'default' }, {}, {}] })
})
