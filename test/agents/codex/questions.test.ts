import t from 'tap'
import { answerTo, asked, decisionOn, questionOf } from '../../../src/agents/codex/questions.js'

const of = (method: string, params: object) => {
  const question = questionOf(method, 1, { ...params })
  if (question === undefined) throw new Error(`${method} is a question`)
  return question
}

t.test('a command: what it is, and the three answers', async (t) => {
  const question = of('item/commandExecution/requestApproval', {
    itemId: 'call',
    command: "/bin/bash -lc 'touch a'",
    cwd: '/tmp',
    reason: null,
    commandActions: [{ type: 'unknown', command: 'touch a' }],
    networkApprovalContext: { host: 'example.org', protocol: 'https' },
    availableDecisions: ['accept', 'cancel'],
  })
  t.same(asked('s1-1', question, undefined), {
    type: 'approval_request',
    requestId: 's1-1',
    tool: 'commandExecution',
    input: {
      command: "/bin/bash -lc 'touch a'",
      cwd: '/tmp',
      network: { host: 'example.org', protocol: 'https' },
    },
    title: 'touch a',
    toolId: 'call',
    options: [
      { decision: 'allow', label: 'Allow' },
      { decision: 'allow_always', label: 'In this session: this very command' },
      { decision: 'deny', label: 'Deny' },
    ],
  })
  t.same(decisionOn(question, 'allow'), { decision: 'accept' })
  t.same(decisionOn(question, 'allow_always'), { decision: 'acceptForSession' })
  t.same(decisionOn(question, 'deny'), { decision: 'decline' })
  t.same(answerTo(question, 'yes'), { decision: 'decline' }, 'a text allows nothing')
})

t.test('a change of files is told with what it changes', async (t) => {
  const question = of('item/fileChange/requestApproval', { itemId: 'call', reason: 'to fix it', grantRoot: '/tmp' })
  t.match(asked('q', question, [{ path: '/tmp/a' }]), {
    tool: 'fileChange',
    input: { changes: [{ path: '/tmp/a' }], reason: 'to fix it', grantRoot: '/tmp' },
    title: 'to fix it',
  })
})

t.test('permissions are granted as they were asked for, or not at all', async (t) => {
  const permissions = { network: null, fileSystem: { write: ['/tmp'] } }
  const question = of('item/permissions/requestApproval', { permissions, cwd: '/tmp', reason: 'why' })
  t.match(asked('q', question, undefined), { tool: 'permissions', input: { permissions }, title: 'why' })
  const granted = { fileSystem: { write: ['/tmp'] } }
  t.same(decisionOn(question, 'allow'), { permissions: granted, scope: 'turn' })
  t.same(decisionOn(question, 'allow_always'), { permissions: granted, scope: 'session' })
  t.same(decisionOn(question, 'deny'), { permissions: {}, scope: 'turn' })
})

t.test('a tool of an MCP server', async (t) => {
  const form = {
    mode: 'form',
    requestedSchema: { type: 'object', properties: {} },
    serverName: 'toy',
    message: 'May I?',
  }
  const _meta = { tool_name: 'echo', tool_params: { text: 'a' }, persist: ['session', 'always'] }
  const question = of('mcpServer/elicitation/request', { ...form, _meta })
  t.match(asked('q', question, undefined), {
    type: 'approval_request',
    tool: 'toy.echo',
    input: { text: 'a' },
    title: 'May I?',
    options: [{ decision: 'allow' }, { decision: 'allow_always' }, { decision: 'deny' }],
  })
  t.same(decisionOn(question, 'allow'), { action: 'accept', content: {}, _meta: null })
  t.same(decisionOn(question, 'allow_always'), { action: 'accept', content: {}, _meta: { persist: 'session' } })
  t.same(decisionOn(question, 'deny'), { action: 'decline', content: null, _meta: null })
  const once = asked('q', of('mcpServer/elicitation/request', { ...form, _meta: null }), undefined)
  t.match(once, { tool: 'toy', options: [{ decision: 'allow' }, { decision: 'deny' }] })
})

t.test('a form of an MCP server, and a page to visit', async (t) => {
  const properties = { name: { type: 'string' } }
  const form = { mode: 'form', serverName: 'toy', message: 'Your name?', requestedSchema: { properties } }
  const question = of('mcpServer/elicitation/request', form)
  t.match(asked('q', question, undefined), { type: 'input_request', question: /^toy: Your name\?\nAnswer with name/ })
  t.same(answerTo(question, 'Bob'), { action: 'accept', content: { name: 'Bob' }, _meta: null })
  t.same(answerTo(question, 'decline'), { action: 'decline', content: null, _meta: null })
  const page = of('mcpServer/elicitation/request', {
    mode: 'url',
    serverName: 'toy',
    message: 'Log in',
    url: 'http://x',
  })
  t.match(asked('q', page, undefined), { question: /http:\/\/x/ })
  t.same(answerTo(page, 'accept'), { action: 'accept', content: {}, _meta: null })
})

t.test('questions of the model', async (t) => {
  const color = { id: 'color', question: 'Which color?', options: [{ label: 'red' }, { label: 'blue' }] }
  const question = of('item/tool/requestUserInput', { questions: [color] })
  t.match(asked('q', question, undefined), { question: 'Which color?', options: ['red', 'blue'] })
  t.same(answerTo(question, 'red'), { answers: { color: { answers: ['red'] } } })
  t.same(decisionOn(question, 'deny'), { answers: {} })
  const several = asked('q', of('item/tool/requestUserInput', { questions: [color, { id: 'x', question: 'Why?' }] }), 0)
  t.match(several, { question: 'Which color?\nWhy?', options: undefined })
})

t.test('a request that nobody can serve', async (t) => {
  t.equal(questionOf('item/tool/call', 1, {}), undefined)
  t.equal(questionOf('toString', 1, {}), undefined)
})
