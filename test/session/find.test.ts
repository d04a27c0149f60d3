import { rmSync } from 'node:fs'
import t from 'tap'
import { findSession } from '../../src/session/find.js'
import { parseId } from '../../src/session/id.js'
import { newHome } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'

t.test('find', async (t) => {
  const home = newHome(t)
  const find = (text: string) => findSession(home, text)
  t.throws(() => find('latest'), { code: 'NOT_FOUND', message: /no session yet/ })
  const ids = ['aa0000000001', 'aa1000000002', 'bb0000000003', 'bb1000000004'] as const
  const titles = ['twin', 'twin', 'only one', 'bb0']
  for (const [n, id] of ids.entries()) await newSession(home, { title: titles[n] }, id)

  t.equal(find('aa0000000001'), ids[0])
  t.equal(find('aa1'), ids[1])
  t.equal(find('only one'), ids[2])
  t.equal(find('latest'), ids[3], 'the newest')
  t.equal(find('bb0'), ids[2], 'a prefix goes before a title')
  t.throws(() => find('aa'), { code: 'AMBIGUOUS', message: /fits 2 sessions:[\s\S]*aa0000000001[\s\S]*aa1000000002/ })
  t.throws(() => find('twin'), { code: 'AMBIGUOUS' })
  for (const text of [
    '',
    'cc',
    'only',
    'AA0',
    '../../etc/passwd',
    'a/b',
    '-rf',
    'a\0b',
    'x'.repeat(5000),
    'aa0000000009',
  ]) {
    t.throws(() => find(text), { code: 'NOT_FOUND' }, JSON.stringify(text.slice(0, 20)))
  }
  rmSync(home.registry)
  t.equal(find('aa0000000001'), ids[0], 'a whole id needs no registry')
})

t.test('ids', async (t) => {
  t.equal(parseId('0123456789ab'), '0123456789ab')
  const bad = [
    '',
    '0123456789a',
    '0123456789abc',
    '0123456789AB',
    '0123456789a\n',
    '../../../../',
    'a\0bcdefghijk',
    5,
    null,
  ]
  for (const value of bad) t.throws(() => parseId(value), { code: 'BAD_ID' }, JSON.stringify(value))
  const long = t.throws(() => parseId(`\x1b[31m${'x'.repeat(10_000)}`), { code: 'BAD_ID' })
  t.ok(String(long).length < 300 && !String(long).includes('\x1b'), 'a hostile id is shown cut and escaped')
})
