import t from 'tap'
import { toolResult, toolUse } from '../../../src/agents/codex/items.js'

const both = (item: object) => [toolUse({ id: 'i', ...item }), toolResult({ id: 'i', ...item })]

t.test('what is no action', async (t) => {
  for (const type of ['agentMessage', 'userMessage', 'contextCompaction', 'toString', 7]) {
    t.same(both({ type }), [undefined, undefined])
  }
})

t.test('the exit code stands behind the output, also behind a long one', async (t) => {
  const content = (fields: object) => toolResult({ type: 'commandExecution', id: 'i', ...fields })?.content
  t.equal(content({ aggregatedOutput: 'out', exitCode: 0 }), 'out')
  t.equal(content({ aggregatedOutput: 'out', exitCode: 2 }), 'out\n[exit code 2]')
  t.equal(content({ aggregatedOutput: null, exitCode: 127 }), '[exit code 127]')
  t.match(
    content({ aggregatedOutput: 'x'.repeat(2_000_000), exitCode: 2 }),
    /bytes are missing here\]\n\[exit code 2\]$/,
  )
  t.equal(content({ status: 'declined', aggregatedOutput: null, exitCode: null }), '[declined]')
})

t.test('actions of other sorts', async (t) => {
  t.match(
    both({ type: 'dynamicToolCall', tool: 'x', arguments: null, contentItems: [{ text: 'a' }], success: false }),
    [
      { tool: 'x', input: {} },
      { content: 'a', isError: true },
    ],
  )
  t.match(
    both({ type: 'collabAgentToolCall', tool: 'spawnAgent', prompt: 'p', agentsStates: {}, status: 'completed' }),
    [
      { tool: 'spawnAgent', input: { prompt: 'p' } },
      { content: '{}', isError: false },
    ],
  )
  t.match(both({ type: 'webSearch', query: 'q', action: { type: 'search' }, results: [1] }), [
    { tool: 'webSearch', input: { query: 'q' } },
    { content: '[1]' },
  ])
  t.match(both({ type: 'webSearch', query: 'q', results: null })[1], { content: '' })
  t.match(both({ type: 'imageView', path: '/p' }), [{ input: { path: '/p' } }, { content: '' }])
  t.match(both({ type: 'mcpToolCall', server: 's', tool: 't', error: { message: 'no' }, status: 'failed' }), [
    { tool: 's.t', input: {} },
    { content: 'no', isError: true },
  ])
  const odd = { type: 'mcpToolCall', server: 's', tool: 't', result: { content: [{ uri: 'x' }, null] } }
  t.match(both(odd)[1], { content: '{"uri":"x"}' })
})
