import * as fc from 'fast-check'
import t from 'tap'
import { Book } from '../../src/agents/book.js'
import type { AgentEvent } from '../../src/session/events.js'

const types = (events: AgentEvent[]) => events.map(({ type }) => type)

t.test('a turn counts on from those before, and is told once', async (t) => {
  const book = new Book<string>(4)
  t.same(book.startTurn(), [{ type: 'turn_started', turn: 5 }])
  t.same(book.startTurn(), [])
  t.equal(book.inTurn, true)
  t.same(book.endTurn({ reason: 'completed' }), [{ type: 'turn_ended', turn: 5, reason: 'completed' }])
  t.same(book.endTurn({ reason: 'completed' }), [])
  t.same(book.startTurn(), [{ type: 'turn_started', turn: 6 }])
})

t.test('what a turn leaves open is closed before its end, with the reason', async (t) => {
  const book = new Book<string>(0)
  book.startTurn()
  t.equal(book.toolUse('t1'), true)
  t.equal(book.toolUse('t1'), false)
  book.toolUse('t2')
  t.equal(book.toolResult('t2'), true)
  t.equal(book.toolResult('t2'), false)
  t.equal(book.hasOpenTools, true)
  book.ask('q1', 'which')
  book.ask('q2', 'what')
  t.equal(book.take('q2'), 'what')
  t.equal(book.take('q2'), undefined)
  t.same(book.endTurn({ reason: 'failed', error: 'the agent died' }), [
    { type: 'approval_voided', requestId: 'q1', why: 'the agent died' },
    { type: 'tool_result', toolId: 't1', content: '[no result: the agent died]', isError: true },
    { type: 'turn_ended', turn: 1, reason: 'failed', error: 'the agent died' },
  ])
  t.equal(book.take('q1'), undefined)
  t.equal(book.hasOpenTools, false)
})

t.test('without an error the reason is told in words', async (t) => {
  for (const [reason, why] of [
    ['completed', 'the turn ended'],
    ['interrupted', 'the turn was interrupted'],
  ] as const) {
    const book = new Book<string>(0)
    book.startTurn()
    book.ask('q', '')
    t.match(book.endTurn({ reason }), [{ type: 'approval_voided', why }, { type: 'turn_ended' }])
  }
})

t.test('what is open outside of a turn is closed without one', async (t) => {
  const book = new Book<string>(0)
  book.toolUse('t')
  t.same(types(book.endTurn({ reason: 'interrupted' })), ['tool_result'])
})

t.test('whoever waits for the end of the turn is told, and at once where none runs', async (t) => {
  const book = new Book<string>(0)
  await book.turnEnd()
  book.startTurn()
  let ended = 0
  const waiting = [1, 2].map(() => book.turnEnd().then(() => ended++))
  await Promise.resolve()
  t.equal(ended, 0)
  book.endTurn({ reason: 'completed' })
  await Promise.all(waiting)
  t.equal(ended, 2)
  t.equal(book.inTurn, false)
})

const id = fc.constantFrom('a', 'b', 'c', '__proto__')
const call = fc.oneof(
  fc.constant((book: Book<number>) => book.startTurn()),
  fc.constantFrom('completed', 'interrupted', 'failed').map((reason) => (book: Book<number>) => {
    const events = book.endTurn({ reason })
    if (book.inTurn) throw new Error('the turn goes on after its end')
    return events
  }),
  fc.constant((book: Book<number>) => book.close('why')),
  id.map((toolId) => (book: Book<number>): AgentEvent[] => {
    return book.toolUse(toolId) ? [{ type: 'tool_use', toolId, tool: 'x', input: {} }] : []
  }),
  id.map((toolId) => (book: Book<number>): AgentEvent[] => {
    return book.toolResult(toolId) ? [{ type: 'tool_result', toolId, content: '' }] : []
  }),
  id.map((requestId) => (book: Book<number>): AgentEvent[] => {
    book.ask(requestId, 1)
    return [{ type: 'approval_request', requestId, tool: 'x', input: {} }]
  }),
  id.map((requestId) => (book: Book<number>): AgentEvent[] => {
    return book.take(requestId) === undefined ? [] : [{ type: 'approval_response', requestId, decision: 'allow' }]
  }),
)

t.test('whatever is called in whatever order: turns alternate, and nothing stays open behind an end', async () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), fc.nat(9), (calls, turns) => {
      const book = new Book<number>(turns)
      const events = [...calls.flatMap((each) => each(book)), ...book.endTurn({ reason: 'failed', error: 'over' })]
      let turn = turns
      let running = false
      const open = new Set<string>()
      for (const event of events) {
        if (event.type === 'turn_started') {
          if (running || event.turn !== ++turn) return false
          running = true
        } else if (event.type === 'turn_ended') {
          if (!running || event.turn !== turn || open.size > 0) return false
          running = false
        } else if (event.type === 'tool_use') open.add(`tool ${event.toolId}`)
        else if (event.type === 'approval_request') open.add(`question ${event.requestId}`)
        // Each is closed once: by its result or answer, or by the book.
        else if (event.type === 'tool_result' && !open.delete(`tool ${event.toolId}`)) return false
        else if ('requestId' in event && !open.delete(`question ${event.requestId}`)) return false
      }
      return !running && open.size === 0
    }),
    { numRuns: 2000 },
  )
})
