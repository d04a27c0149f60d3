import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { search } from '../../../../src/agents/chat/tools/search.js'
import { workshop } from '../use.js'

t.test('files, lines and their numbers', async (t) => {
  const { cwd, use } = workshop(t)
  for (const dir of ['src', 'node_modules', '.git']) mkdirSync(join(cwd, dir))
  writeFileSync(join(cwd, 'src/a.ts'), 'first\nneedle 12\n')
  for (const file of ['src/b.md', 'node_modules/c.ts', '.git/d']) writeFileSync(join(cwd, file), 'needle 3\n')
  writeFileSync(join(cwd, 'binary'), Buffer.from('needle\0needle'))
  symlinkSync('/etc', join(cwd, 'out'))
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const found = async (input: object) => (await use('search', input)).text.split('\n').sort()
  t.same(await found({ pattern: 'needle [0-9]+' }), ['src/a.ts:2:needle 12', 'src/b.md:1:needle 3'])
  t.same(await found({ pattern: 'needle', files: '*.ts' }), ['src/a.ts:2:needle 12'])
  t.same(await found({ pattern: 'needle', path: 'src/b.md' }), ['src/b.md:1:needle 3'])
  t.same(await found({ pattern: 'root:' }), ['[nothing found]'], 'a link is not followed')
  t.same(await found({ pattern: '-e' }), ['[nothing found]'], 'a pattern is no option')
})

t.test('bad input', async (t) => {
  const { use } = workshop(t)
  t.match(await use('search', { pattern: '(' }), { failed: true, text: /grep/ })
  await t.rejects(use('search', { pattern: 'x', path: 'missing' }), { code: 'ENOENT' })
  await t.rejects(use('search', { pattern: '' }), /pattern: /)
})

t.test('many and long lines are cut', async (t) => {
  const { cwd, use } = workshop(t)
  writeFileSync(join(cwd, 'many'), `x${'y'.repeat(500)}\n`.repeat(600))
  const lines = (await use('search', { pattern: 'x' })).text.split('\n')
  t.equal(lines.length, 501)
  t.match(lines[0], /^many:1:xy+…$/)
  t.match(lines.at(-1), /and 100 more lines/)
})

t.test('a grep of the project is not run, however PATH leads to it', async (t) => {
  const { cwd, place } = workshop(t)
  mkdirSync(join(cwd, 'bin'))
  for (const file of ['grep', 'bin/grep']) writeFileSync(join(cwd, file), '#!/bin/sh\ntouch ran\n', { mode: 0o755 })
  const { signal } = new AbortController()
  for (const first of ['', '.:', 'bin:', `${join(cwd, 'bin')}:`].flatMap((way) => [way, `${way}${process.env.PATH}`])) {
    const run = { cwd, env: { PATH: first }, signal }
    t.match(await search.call({ pattern: 'touch' }, place).run(run), { text: /^(bin\/)?grep:2:touch ran/ }, first)
    t.notOk(existsSync(join(cwd, 'ran')), first)
  }
})
