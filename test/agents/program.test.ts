import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findProgram } from '../../src/agents/program.js'

const dir = t.testdir({ a: { tool: '', plain: '' }, b: { tool: '', other: '' } })
const [a, b] = [join(dir, 'a'), join(dir, 'b')]
for (const file of [join(a, 'tool'), join(b, 'tool'), join(b, 'other')]) chmodSync(file, 0o755)
chmodSync(join(a, 'plain'), 0o644)

t.test('the first directory of the PATH that has it', async (t) => {
  t.equal(findProgram('tool', `${a}:${b}`), join(a, 'tool'))
  t.equal(findProgram('tool', `${b}:${a}`), join(b, 'tool'))
  t.equal(findProgram('other', `${a}:/nowhere:${b}`), join(b, 'other'))
  t.equal(findProgram('tool', '/nowhere'), undefined)
  t.equal(findProgram('', a), undefined)
})

t.test('relative names and entries count from the working directory', async (t) => {
  t.equal(findProgram('./tool', undefined, a), join(a, 'tool'))
  t.equal(findProgram('../b/other', undefined, a), join(b, 'other'))
  t.equal(findProgram(join(b, 'other'), undefined, a), join(b, 'other'))
  t.equal(findProgram('other', 'b', dir), join(b, 'other'))
  t.equal(findProgram('tool', ':/nowhere', a), join(a, 'tool'), 'an empty entry is the directory itself')
})

t.test('only files that may be executed count', async (t) => {
  mkdirSync(join(a, 'other'))
  symlinkSync('loop', join(a, 'loop'))
  writeFileSync(join(b, 'loop'), '', { mode: 0o755 })
  t.equal(findProgram('other', `${a}:${b}`), join(b, 'other'), 'a directory is no program')
  t.equal(findProgram('loop', `${a}:${b}`), join(b, 'loop'), 'a broken link is none either')
  t.equal(findProgram('plain', a), undefined)
  t.equal(findProgram('./plain', undefined, a), undefined)
})

t.test('without a PATH, what execvp(3) does', async (t) => {
  t.match(findProgram('sh', undefined), /\/sh$/)
})
