/** The words for causes: the table of the README, and words of others. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import * as z from 'zod/mini'
import { CauseWord, causes, knownCause, meaningOf, nextStep } from '../../src/session/cause.js'
import { Cause } from '../../src/session/events.js'

t.test('the README lists each word with its sentence and its next step, in order', async (t) => {
  const lines = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split('\n')
  const head = lines.findIndex((line) => /^\| Cause +\|/.test(line))
  const rows = lines
    .slice(head + 2, lines.indexOf('', head))
    .map((line) => line.split(' | ').map((cell) => cell.trim()))
  const page = rows.map(([word = '', says, next, program = '']) => [
    word.replace(/[|` ]/g, ''),
    says,
    next,
    program.replace(/ *\|$/, ''),
  ])
  t.same(
    page,
    Object.entries(causes).map(([word, { says, next, program = '' }]) => [word, says, next, program]),
  )
})

t.test('what is written is one of the words; what is read may be any', async (t) => {
  for (const word of Object.keys(causes)) t.ok(z.safeParse(Cause, { result: word }).success, word)
  for (const word of ['', 'toString', '__proto__', 'SIGNAL', 5, null, undefined]) {
    t.notOk(z.safeParse(CauseWord, word).success, String(word))
    t.equal(meaningOf(word), undefined)
  }
  const cause = { result: 'signal', code: 'killed', status: 'KILL', of: 'the future' }
  t.same(knownCause(cause), cause)
  t.same(knownCause({ result: 'eaten', status: 1 }), {
    result: 'unknown',
    status: 1,
    message: 'it is called "eaten" there',
  })
  t.same(knownCause({ result: 'eaten', message: 'by a dog' }), { result: 'unknown', message: 'by a dog' })
})

t.test('a program is not told to go on: it takes no messages', async (t) => {
  const unit = 'agentz-session-0123456789ab.service'
  const program = { agentType: 'command', unit }
  for (const [word, meaning] of Object.entries(causes)) {
    t.notMatch(nextStep(meaning, program), /agentz send|UNIT/, word)
    t.notMatch(nextStep(meaning, { agentType: 'claude', unit }), /run it again|UNIT/i, word)
  }
  t.equal(nextStep(causes.signal, program), 'Run it again.')
  t.equal(nextStep(causes['exit-code'], program), causes['exit-code'].next)
  t.equal(nextStep(causes.signal, { agentType: 'claude', unit }), '`agentz send` goes on with it.')
  t.equal(nextStep(causes.protocol, program), `\`journalctl --user -u ${unit}\` says more.`)
})
