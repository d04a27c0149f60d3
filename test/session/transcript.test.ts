/** The conversation so far, as an agent that has lost it is told. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { transcriptOf, withTranscript } from '../../src/session/transcript.js'
import { tempDir } from '../helpers/home.js'
import { ID, message } from './fold.js'

const transcript = (t: Test, ...events: object[]): string => before(t, 'another', events)

/** What is told before the message `next`. */
function before(t: Test, next: string, events: readonly object[]): string {
  const path = join(tempDir(t), 'log')
  const created = { type: 'session_created', sessionId: ID, spec: { sessionId: ID, prompt: 'fix the test' } }
  writeFileSync(path, [created, ...events].map((event) => `${JSON.stringify(event)}\n`).join(''))
  return transcriptOf(path, next)
}

t.test('who said what, and what was done', async (t) => {
  const told = transcript(
    t,
    { type: 'text', partial: true, delta: ['I ', 'look'] },
    { type: 'thinking', content: 'a secret thought' },
    { type: 'text', content: 'I look.' },
    { type: 'tool_use', toolId: 't1', tool: 'Bash', input: { command: 'npm test' } },
    { type: 'tool_result', toolId: 't1', content: '1 failing' },
    { type: 'usage', scope: 'turn', input: 5 },
    message('m1', { content: 'and the snapshot' }),
    message('continue-2000', { content: 'Go on.' }),
    { type: 'text', content: 'Done.' },
  )
  t.equal(
    told,
    [
      'User: fix the test',
      'You: I look.',
      '(You used the tool Bash: {"command":"npm test"})',
      '(It gave: 1 failing)',
      'User: and the snapshot',
      'You: Done.',
    ].join('\n\n'),
  )
  t.match(withTranscript(told, 'go on'), /<conversation>\nUser: fix the test[\s\S]*Done\.\n<\/conversation>\n\ngo on$/)
})

t.test('of a long conversation the prompt and the end are told', async (t) => {
  const texts = Array.from({ length: 400 }, (_, n) => ({ type: 'text', content: `${n} ${'x'.repeat(500)}` }))
  const told = transcript(t, ...texts)
  t.ok(told.length < 40_000, `${told.length} characters`)
  t.ok(told.startsWith('User: fix the test\n\n'))
  t.ok(told.includes('You: 399 x'))
  t.notOk(told.includes('You: 3 x'))
})

t.test('one long piece is cut', async (t) => {
  const told = transcript(
    t,
    { type: 'text', content: 'a'.repeat(1e5) },
    { type: 'tool_use', toolId: 't', tool: 'Write', input: { content: 'b'.repeat(1e5) } },
    { type: 'tool_result', toolId: 't', content: 'c'.repeat(1e5) },
  )
  t.ok(told.length < 6000, `${told.length} characters`)
  for (const letter of 'abc') t.match(told, letter.repeat(300))
})

t.test('lines by hand are no obstacle', async (t) => {
  const odd: unknown[] = [5, null, {}, { toString: 0 }]
  const events = ['user_message', 'text', 'tool_use', 'tool_result'].flatMap((type) =>
    odd.map((value) => ({ type, messageId: value, content: value, tool: value, input: value })),
  )
  t.ok(transcript(t, ...events).startsWith('User: fix the test'))
})

t.test('what is about to be said stands below, and not in it', async (t) => {
  const events = [message('m1'), { type: 'text', content: 'Yes.' }, message('m2')]
  const content = (id: string) =>
    (events.find((event) => (event as { messageId?: string }).messageId === id) as { content: string }).content
  t.notMatch(before(t, 'm2', events), `User: ${content('m2')}`)
  t.match(before(t, 'm1', events), `User: ${content('m2')}`)
  t.equal(before(t, 'prompt', []), '')
})
