import t from 'tap'
import { alwaysOf, meaningOf } from '../../../src/agents/claude/always.js'

const rule = {
  type: 'addRules',
  rules: [{ toolName: 'Bash', ruleContent: 'touch made *' }, { toolName: 'WebSearch' }],
  behavior: 'allow',
  destination: 'localSettings',
}
const mode = { type: 'setMode', mode: 'acceptEdits', destination: 'session' }
const directories = { type: 'addDirectories', directories: ['/srv/a', '/srv/b'], destination: 'session' }

t.test('a command that is allowed for good allows no edits', async (t) => {
  t.same(alwaysOf([rule, directories, mode]), [rule])
  t.same(alwaysOf([{ ...rule, behavior: 'deny' }, mode]), [{ ...rule, behavior: 'deny' }, mode])
})

t.test('where there is no rule, what is suggested is all there is', async (t) => {
  t.same(alwaysOf([mode]), [mode])
  t.same(alwaysOf([]), [])
})

t.test('in words', async (t) => {
  t.equal(meaningOf([rule]), 'Bash(touch made *), all of WebSearch')
  t.equal(meaningOf([mode]), 'the session goes into the mode acceptEdits')
  t.equal(meaningOf([directories]), 'work in /srv/a, /srv/b')
  t.equal(meaningOf([{ type: 'new', what: 1, destination: 'session' }]), '{"type":"new","what":1}')
  const unspeakable = { toString: 0, valueOf: 0 }
  const foreign = [
    { type: 'addRules', rules: [{ toolName: unspeakable }] },
    { type: 'setMode', mode: unspeakable },
  ]
  t.match(meaningOf(foreign), /^all of .*toString.*the mode .*valueOf/, 'String() would throw')
})
