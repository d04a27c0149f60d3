/** What the end of a session's file tells. */
import { appendFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { isOpen, readTail } from '../../src/session/tail.js'
import { newHome } from '../helpers/home.js'

const line = (type: string, more: object = {}) => `${JSON.stringify({ type, ...more })}\n`

t.test('life-cycle records alone, as far back as asked', async (t) => {
  const home = newHome(t)
  const id = 'abcdefabcdef'
  const types = (bytes: number) => readTail(home, id, bytes).map(({ type }) => type)
  const log = sessionLog(home, id)
  writeFileSync(log, line('session_created') + line('daemon_started') + line('text', { text: 'x'.repeat(5000) }))
  t.same(types(100_000), ['session_created', 'daemon_started'])
  t.same(types(1000), [], 'cut in the middle of a line')
  appendFileSync(log, `${line('session_completed')}{"type":"daemon_`)
  t.same(types(1000), ['session_completed'], 'a line without its end is none yet')
  t.throws(() => readTail(home, 'ffffffffffff', 10), { code: 'ENOENT' })
})

t.test('open until its last run has a last word', async (t) => {
  const tail = (...types: string[]) => types.map((type) => ({ type }))
  t.ok(isOpen([]))
  t.ok(isOpen(tail('session_created', 'daemon_started', 'daemon_exited')), 'an exit alone may be followed by a restart')
  for (const word of ['completed', 'failed', 'cancelled', 'interrupted']) {
    t.notOk(isOpen(tail('daemon_started', `session_${word}`, 'daemon_exited')), word)
    t.notOk(isOpen(tail(`session_${word}`)), 'the start is further back')
    t.ok(isOpen(tail(`session_${word}`, 'daemon_started')), 'taken up again')
  }
})
