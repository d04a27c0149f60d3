/** What reaches a terminal from an agent can do no harm there. */
import fc from 'fast-check'
import t from 'tap'
import { shellWords } from '../../src/base/shell.js'
import { age, count, harmless, indented, oneLine, spelled } from '../../src/cli/terminal.js'

t.test('escape sequences of every kind go, text stays', async (t) => {
  const table: [string, string][] = [
    ['plain\ttext\nlines', 'plain\ttext\nlines'],
    ['\x1b[31mred\x1b[0m', 'red'],
    ['\x1b[2J\x1b[H\x1b[10;10Hmoved', 'moved'],
    ['\x1b]0;title\x07shown', 'shown'],
    ['\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07', 'link'],
    ['\x1bP1$r0m\x1b\\dcs', 'dcs'],
    ['\x1b_apc\x1b\\text', 'text'],
    ['\x9b31mc1', 'c1'],
    ['over\rwrite', 'over\nwrite'],
    ['back\b\b\bspace', 'backspace'],
    ['bell\x07 nul\0 del\x7f', 'bell nul del'],
    ['\u202eright to left', '\ufffdright to left'],
    ['\x1b]unterminated; rm -rf ~', 'unterminated; rm -rf ~'],
    ['\x1b', ''],
    // What is left on both sides of a sequence makes no new one.
    ['\x1b\x9ba[8mseen', '[8mseen'],
  ]
  for (const [given, shown] of table) t.equal(harmless(given), shown, JSON.stringify(given))
})

t.test('whatever comes, no control character but newline and tab is left', async (t) => {
  const byte = fc.constantFrom('\x1b', '[', ']', '\x07', '\x9b', '\\', '0', ';', 'm', 'P', '_', 'a', '\n', '\u202e')
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: byte, maxLength: 40 })), (text) => {
      return !/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(harmless(text))
    }),
    { numRuns: 2000 },
  )
  t.pass('2,000 texts')
})

t.test('what somebody decides on is spelled out, whole', async (t) => {
  t.equal(spelled('echo ok \x1b]x; rm -rf ~\u202e\r\n'), 'echo ok \\u001b]x; rm -rf ~\\u202e\\u000d\\u000a')
  // Soft hyphen, mark of Arabic, line separator, byte order mark, a filler, a space that is none, a tag, half a character.
  const unseen = ['\u00ad', '\u061c', '\u2028', '\ufeff', '\u3164', '\u00a0', '\u{e0041}', '\ud800']
  for (const sign of unseen) t.match(spelled(`rm${sign}x`), /^rm\\u(\w{4}|\{\w{5}\})x$/)
  const seen = 'rm -rf ~/Über/数/привет/🙂 "$(x)" e\u0301'
  t.equal(spelled(seen), seen)
})

t.test('lines, ages and words', async (t) => {
  t.equal(oneLine('a\n  b\tc', 10), 'a b c')
  t.equal(oneLine('🙂🙂🙂🙂', 3), '🙂🙂…')
  const now = Date.parse('2026-01-02T00:00:00Z')
  for (const [from, text] of [
    ['2026-01-01T23:59:55Z', '5s'],
    ['2026-01-01T23:48:00Z', '12m'],
    ['2026-01-01T21:00:00Z', '3h'],
    ['2025-12-24T00:00:00Z', '9d'],
    ['2026-01-03T00:00:00Z', '0s'],
    ['never', '?'],
  ] as const)
    t.equal(age(from, now), text)
  t.equal(shellWords(['echo', "it's", '$HOME', 'plain']), `echo 'it'\\''s' '$HOME' plain`)
})

t.test('text is broken between words for a terminal, and left alone for everything else', async (t) => {
  const { isTTY, columns } = process.stdout
  t.teardown(() => Object.assign(process.stdout, { isTTY, columns }))
  Object.assign(process.stdout, { isTTY: false, columns: 40 })
  const text = `${'word '.repeat(10)}a-path-that-is-longer-than-a-line-and-stays-whole end`
  t.equal(indented(text, 10), text)
  Object.assign(process.stdout, { isTTY: true })
  const pad = ' '.repeat(10)
  const words = [
    'word word word word word word',
    'word word word word',
    'a-path-that-is-longer-than-a-line-and-stays-whole',
    'end',
  ]
  t.equal(indented(text, 10), words.join(`\n${pad}`))
  t.equal(indented('', 10), '')
  t.equal(indented(text, 30), text, 'no room')
  t.strictSame([count(0, 'turn'), count(1, 'turn'), count(2, 'turn')], ['0 turns', '1 turn', '2 turns'])
})
