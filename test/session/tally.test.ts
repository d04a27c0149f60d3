/** What is counted of an agent's doing, live and from the file of a daemon that is gone. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { AgentEvent } from '../../src/session/events.js'
import { frame } from '../../src/session/frame.js'
import { Tally } from '../../src/session/tally.js'
import { tempDir } from '../helpers/home.js'
import { foldOf, started, turn, turnEnd } from './fold.js'

const use = (toolId: string, tool: string, ...files: string[]): AgentEvent => ({
  type: 'tool_use',
  toolId,
  tool,
  input: {},
  ...(files.length === 0 ? {} : { files }),
})
const result = (toolId: string, isError?: true): AgentEvent => ({
  type: 'tool_result',
  toolId,
  content: 'x',
  ...(isError === undefined ? {} : { isError }),
})
const events = [
  use('t1', 'Bash'),
  use('t2', 'Edit', '/a', '/b'),
  result('t1', true),
  { type: 'text', content: '{"type":"tool_use"' } as const,
  result('t2'),
  use('t3', 'Edit', '/a'),
  result('t3'),
  use('t4', 'Write', '/denied'),
  result('t4', true),
  use('t5', 'Write', '/open'),
]
const tallyOf = (list: readonly AgentEvent[]): Tally => {
  const tally = new Tally()
  for (const event of list) tally.count(event)
  return tally
}

t.test('calls by tool, and the files that were changed', async (t) => {
  const usage = { type: 'usage', scope: 'turn', input: 5, output: 6, costUsd: 0.5 }
  t.same(tallyOf(events).metadata(foldOf([started(), turn(1), usage, turnEnd(1)])), {
    durationMs: 2000,
    turns: 1,
    usage: { input: 5, output: 6, cached: 0 },
    costUsd: 0.5,
    toolStats: { totalCalls: 5, byTool: { Bash: 1, Edit: 2, Write: 2 } },
    editedFiles: ['/a', '/b'],
  })
  t.notOk('costUsd' in tallyOf([]).metadata(foldOf([])), 'what nobody told is absent')
  const odd = tallyOf([use('t1', '__proto__'), result('t9')]).metadata(foldOf([]))
  t.same(Object.entries(odd.toolStats?.byTool ?? {}), [['__proto__', 1]], 'a tool may be called anything')
})

t.test('the file gives the same, and what is open in it', async (t) => {
  const path = join(tempDir(t), 'log')
  writeFileSync(path, events.map((event) => `${frame(event, 'agent', 1)}\n`).join(''))
  appendFileSync(path, '\n{"type":"tool_use","torn\x18\n{"type":"tool_use","toolId":"t6"')
  const tally = Tally.of(path)
  t.same(tally.metadata(foldOf([])), tallyOf(events).metadata(foldOf([])))
  const [closed, ...more] = tally.close('the daemon is gone')
  t.match(closed, { type: 'tool_result', toolId: 't5', content: '[no result: the daemon is gone]', isError: true })
  t.same(more, [])
  t.same(tally.close('again'), [], 'once')
})

t.test('calls by hand that are none are not counted, and do no harm', async (t) => {
  const path = join(tempDir(t), 'log')
  const odd = [{ tool: { toString: 0 } }, { files: 5 }, { files: [{}] }, { toolId: null }, {}]
  const lines = odd.map((each) => JSON.stringify({ type: 'tool_use', toolId: 't', tool: 'x', ...each }))
  writeFileSync(path, `${[...lines, '{"type":"tool_result","toolId":{"toString":0}}'].join('\n')}\n`)
  const { toolStats } = Tally.of(path).metadata(foldOf([]))
  t.same(toolStats, { totalCalls: 1, byTool: { x: 1 } })
})
