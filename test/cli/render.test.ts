/** Events as a person reads them. */
import fc from 'fast-check'
import t from 'tap'
import { answers, asked, howToAnswer, notes } from '../../src/cli/question.js'
import { LiveRenderer, render } from '../../src/cli/render.js'
import { spelled } from '../../src/cli/terminal.js'
import { newState } from '../../src/session/apply.js'
import type { Spec } from '../../src/session/spec.js'
import { raw } from '../helpers/poison.js'
import { strange } from '../session/records.js'

const delta = (...words: string[]) => ({ type: 'text', partial: true, delta: words })
const whole = (content: string) => ({ type: 'text', content })
const turnEnded = { type: 'turn_ended', turn: 1, reason: 'completed' }

const live = (...events: object[]) => {
  const renderer = new LiveRenderer()
  return events.map((event) => renderer.render(event as Record<string, unknown>) ?? '').join('')
}

t.test('what is streamed is shown once', async (t) => {
  t.equal(live(delta('one '), delta('two ', 'three'), whole('one two three')), 'one two three\n')
  t.equal(live(delta('one '), whole('one two')), 'one two\n', 'the end that was not streamed')
  t.equal(live(whole('one'), whole('two')), 'one\ntwo\n')
  t.equal(
    live(delta('one '), { type: 'usage' }, delta('two'), whole('one two')),
    'one two\n',
    'not broken by what nobody sees',
  )
  const message = { type: 'user_message', by: 'user', content: 'hi' }
  t.equal(live(delta('one '), message, delta('two '), whole('one two three')), 'one \n> hi\ntwo three\n')
  t.equal(live(delta('one '), message, whole('one ')), 'one \n> hi\n', 'nothing is left to be said')
  t.equal(live(delta('one '), turnEnded, delta('two'), whole('two')), 'one two\n', 'a turn that broke off')
  t.equal(live(delta('other'), whole('one')), 'other\none\n')
  t.equal(live(delta('\x1b]0;x\x07a'), whole('\x1b]0;x\x07a')), 'a\n')
})

t.test('what people do, in words', async (t) => {
  const response = { type: 'approval_response', by: 'user', via: 'http' }
  t.equal(render({ ...response, decision: 'allow' }), '! allowed by user (http)\n')
  t.match(
    render({ ...response, decision: 'allow_always' }),
    /allowed, and the like of it until the session ends, by user/,
  )
  t.equal(render({ ...response, decision: 'deny', reason: 'no\x1b[2J' }), '! denied by user (http): no\n')
  t.equal(
    render({ type: 'turn_ended', reason: 'interrupted', error: 'the turn was interrupted' }),
    '✗ the turn was interrupted\n',
  )
  t.equal(render({ type: 'turn_ended', reason: 'failed', error: 'no model' }), '✗ the turn failed: no model\n')
  t.equal(render(turnEnded), undefined)
  const long = render({ type: 'user_message', by: 'user', content: 'x'.repeat(1_000_000) })
  t.match(long, /… and 998000 more characters\n$/)
  t.equal(
    render({ type: 'session_cancelled', cause: { result: 'cancelled', message: 'cancelled on request' } }),
    '■ cancelled\n',
  )
  t.equal(
    render({ type: 'session_cancelled', cause: { result: 'budget', message: 'too dear' } }),
    '■ cancelled: too dear\n',
  )
  t.equal(render({ type: 'message_sent', messageId: 'm', delivery: 'new' }), undefined)
})

t.test('what to do about an end: what fits the agent, in the unit that it has', async (t) => {
  const failed = (result: string) => ({ type: 'session_failed', error: 'it is over', cause: { result } })
  const of = (agentType: string) => ({ agentType, unit: 'agentz-session-0123456789ab.service' })
  t.equal(render(failed('signal'), of('command')), '✗ failed: it is over\n  Run it again.\n')
  t.equal(render(failed('signal'), of('claude')), '✗ failed: it is over\n  `agentz send` goes on with it.\n')
  t.match(
    render({ ...failed('protocol'), type: 'session_interrupted' }, of('claude')),
    / -u agentz-session-0123456789ab/,
  )
  t.equal(render(failed('eaten'), of('claude')), '✗ failed: it is over\n')
})

t.test('how to answer: whole lines, only what is offered, nothing hidden', async (t) => {
  const request = { type: 'approval_request', requestId: "it's/1", tool: 'Bash', input: { command: 'ls' } }
  t.strictSame(answers('abc', request, true), [
    ['allow', "agentz approve abc 'it'\\''s/1'"],
    ['always', "agentz approve abc 'it'\\''s/1' --always"],
    ['deny', "agentz deny abc 'it'\\''s/1' -r 'why not'"],
  ])
  const options = [{ decision: 'deny', label: 'no' }]
  t.strictSame(answers('abc', { ...request, options }, false), [['deny', "agentz deny abc -r 'why not'"]])
  const question = { type: 'input_request', requestId: 'q', question: 'Which?' }
  t.strictSame(answers('abc', question, false), [['answer', "agentz answer abc 'your answer'"]])
  t.strictSame(answers('abc', { ...question, options: ['a b'] }, true), [
    ['answer', "agentz answer abc --request q 'a b'"],
  ])
  const tricky = answers('abc', { ...question, options: ['--file=.env'] }, true)
  t.strictSame(tricky, [['answer', 'agentz answer abc --request q -- --file=.env']], 'no option of ours')
  t.match(answers('abc', { ...request, requestId: 'x\x1b[2J' }, true)[0]?.[1], 'x\\u001b[2J')
  const rule = '{"type":"setMode","mode":"acceptEdits"}\n'
  t.same(notes({ ...request, options: [{ decision: 'allow_always', label: rule }] }), [
    '(always means: {"type":"setMode","mode":"acceptEdits"}\\u000a)',
  ])
  t.same(notes({ ...request, options }), [])
  t.equal(asked({ ...request, title: 'Lists files' }), 'Lists files: Bash {"command":"ls"}')
  t.equal(asked({ ...request, input: undefined }), 'Bash ')
  const state = newState({ timestamp: '' }, { sessionId: 'abc', agentType: 'claude', prompt: 'p' } as Spec)
  state.status = 'waiting_input'
  state.approvals.set('r', { ...request, requestId: 'r' })
  state.inputs.set('q', question)
  t.equal(
    howToAnswer(state),
    [
      'waiting for input; answer it with one of:',
      '  Bash {"command":"ls"}',
      '  agentz approve abc',
      '  agentz approve abc --always',
      "  agentz deny abc -r 'why not'",
      '  Which?',
      "  agentz answer abc 'your answer'",
    ].join('\n'),
  )
})

t.test('types that are the names of what every object has', async (t) => {
  for (const type of ['__proto__', 'constructor', 'toString', 7, null])
    t.equal(render({ type }), undefined, String(type))
})

// `logs` threw at an epoch, `logs -f` at a piece of text that no number and no text can be made of, and at no end of the log after that.
t.test('whatever stands in any field of any event, it is shown, and nothing acts on the terminal', async (t) => {
  const unspeakable = { toString: 0, valueOf: 0 }
  t.equal(render({ type: 'daemon_started', epoch: unspeakable }), undefined)
  t.equal(live({ type: 'text', partial: true, delta: [unspeakable, 'x'] }), '{"toString":0,"valueOf":0}x')
  t.equal(render({ type: 'message_sent', delivery: 'constructor' }), undefined)
  t.equal(render({ type: 'approval_response', decision: 'constructor', by: 'user' }), '! constructor by user\n')
  const property = fc.property(fc.array(strange, { maxLength: 8 }), (events) => {
    const renderer = new LiveRenderer()
    const shown = events.flatMap((event) => [
      ...[render(event) ?? '', renderer.render(event) ?? '', spelled(asked(event)), ...notes(event)],
      ...answers('0123456789ab', event, true).map(([, line]) => line),
    ])
    return !raw.test(shown.join('').replace(/[\ud800-\udfff]/g, ''))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})
