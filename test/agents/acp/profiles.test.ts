/** What is known of each agent before it starts. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { geminiProfile } from '../../../src/agents/acp/gemini.js'
import { opencodeProfile } from '../../../src/agents/acp/opencode.js'
import { acpAgent, cerebras, demo, gemini, opencode } from '../../../src/agents/acp/profiles.js'
import { Stderr } from '../../../src/agents/acp/stderr.js'
import { programs } from '../../../src/base/programs.js'

t.test('programs on PATH', async (t) => {
  const dir = t.testdir({ opencode: '#!/bin/sh\n', gemini: '#!/bin/sh\n', own: '#!/bin/sh\n' })
  for (const agent of [opencode, gemini]) {
    t.throws(() => agent.check({}, { PATH: dir }, '/'), { code: 'AGENT_MISSING', hint: /^Install it: npm install -g / })
    chmodSync(join(dir, agent.name), 0o755)
    t.equal(agent.check({}, { PATH: dir }, '/'), join(dir, agent.name))
    t.same(agent.modes, ['plan', 'default', 'acceptEdits', 'bypassPermissions'])
    t.equal(agent.keepsQuestions, false)
  }
  const own = acpAgent('mine', { title: 'My agent' })
  t.throws(() => own.check({ command: ['own', '--acp'] }, { PATH: dir }, '/'), {
    code: 'AGENT_MISSING',
    hint: /config/,
  })
  chmodSync(join(dir, 'own'), 0o755)
  t.equal(own.check({ command: ['own', '--acp'] }, { PATH: dir }, '/'), join(dir, 'own'))
  t.match(own, { name: 'mine', title: 'My agent', modes: undefined, install: '' })
  t.match(acpAgent('mine').title, /^mine, by/)
})

t.test('our own agent', async (t) => {
  const vendor = 'https://api.cerebras.ai/v1'
  const keyless: Record<string, string>[] = [{}, { CEREBRAS_BASE_URL: vendor }]
  for (const env of keyless) {
    t.throws(() => cerebras.check({}, env, '/'), { code: 'AGENT_MISSING', hint: /file env of AGENTZ_HOME/ })
    t.equal(cerebras.login(env).state, 'no')
  }
  t.equal(cerebras.check({}, { CEREBRAS_API_KEY: 'x' }, '/'), programs.chat)
  t.equal(cerebras.login({ CEREBRAS_API_KEY: 'x' }).state, 'yes')
  t.equal(cerebras.check({}, { CEREBRAS_BASE_URL: 'http://127.0.0.1:8000/v1' }, '/'), programs.chat)
  t.equal(cerebras.login({ CEREBRAS_BASE_URL: 'http://127.0.0.1:8000/v1' }).state, 'not needed')
  t.equal(demo.check({}, {}, '/'), programs.chat)
  t.match(demo.login({}), { state: 'not needed' })
  t.same([demo.keepsQuestions, cerebras.keepsQuestions], [true, true])
})

t.test('logins, as far as files tell', async (t) => {
  const home = t.testdir({})
  t.equal(opencode.login({ HOME: home }).state, 'unknown')
  t.equal(gemini.login({ HOME: home }).state, 'no')
  t.same(gemini.login({ HOME: home, GEMINI_API_KEY: 'x' }), { state: 'yes', detail: 'GEMINI_API_KEY' })
  mkdirSync(join(home, '.gemini'))
  writeFileSync(join(home, '.gemini', 'oauth_creds.json'), '{}')
  t.equal(gemini.login({ HOME: home }).state, 'yes')
  mkdirSync(join(home, '.local', 'share', 'opencode'), { recursive: true })
  writeFileSync(join(home, '.local', 'share', 'opencode', 'auth.json'), '{}')
  t.equal(opencode.login({ HOME: home }).state, 'yes')
})

t.test('command lines', async (t) => {
  const spec = { sessionId: '0123456789ab' }
  t.same(opencodeProfile.argv(spec), ['opencode', 'acp'])
  t.same(opencodeProfile.argv({ ...spec, command: ['/opt/oc'] }), ['/opt/oc', 'acp'])
  t.same(geminiProfile.argv({ ...spec, model: 'small' }), ['gemini', '--acp', '-m', 'small'])
})

t.test('the permissions of opencode leave a person’s own configuration as it is', async (t) => {
  const own = { theme: 'x', permission: { bash: 'allow' }, agent: { build: { model: 'm' }, mine: { prompt: 'p' } } }
  const env = opencodeProfile.env?.({ sessionId: '0123456789ab' }, { OPENCODE_CONFIG_CONTENT: JSON.stringify(own) })
  const permission = { '*': 'ask', read: 'allow', edit: 'ask', bash: 'ask' }
  t.match(JSON.parse(env?.OPENCODE_CONFIG_CONTENT ?? ''), {
    ...{ theme: 'x', permission },
    agent: { build: { model: 'm', permission }, plan: { permission }, mine: { prompt: 'p' } },
  })
  t.equal(Object.keys(JSON.parse(env?.OPENCODE_PERMISSION ?? ''))[0], '*', 'later rules win')
  const broken = opencodeProfile.env?.({ sessionId: '0123456789ab' }, { OPENCODE_CONFIG_CONTENT: 'no JSON' })
  t.match(JSON.parse(broken?.OPENCODE_CONFIG_CONTENT ?? ''), { permission })
})

t.test('a base URL for gemini where a key alone is set', async (t) => {
  const spec = { sessionId: '0123456789ab' }
  t.match(geminiProfile.env?.(spec, { GEMINI_API_KEY: 'x' }), { GOOGLE_GEMINI_BASE_URL: /^https:/ })
  const others: Record<string, string>[] = [{}, { GEMINI_API_KEY: 'x', GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1' }]
  for (const env of others) t.same(geminiProfile.env?.(spec, env), { GEMINI_CLI_NO_RELAUNCH: 'true' })
})

t.test('noise', async (t) => {
  const stderr = new Stderr(geminiProfile)
  const dump = ['Error handling request {', "  method: 'session/load',", '  params: {', '  }', '} {', '  code: 1', '}']
  t.same(
    [...dump, 'Ripgrep is not available. Falling back.'].filter((line) => !stderr.isNoise(line)),
    [],
  )
  t.equal(stderr.isNoise('a real word'), false)
  stderr.end()
  t.equal(stderr.isNoise('a real word'), true)
})
