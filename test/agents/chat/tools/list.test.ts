import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { workshop } from '../use.js'

t.test('a directory, by levels', async (t) => {
  const { cwd, use } = workshop(t)
  t.same(await use('list_files', {}), { text: '[the directory is empty]' })
  for (const dir of ['b/c', 'node_modules/x', '.git/hooks']) mkdirSync(join(cwd, dir), { recursive: true })
  for (const file of ['a', 'b/1', 'b/c/2']) writeFileSync(join(cwd, file), '')
  symlinkSync('/etc', join(cwd, 'out'))
  t.same((await use('list_files', {})).text.split('\n'), ['.git/', 'a', 'b/', 'node_modules/', 'out@'])
  const deep = (await use('list_files', { depth: 3 })).text.split('\n')
  t.same(deep, ['.git/', 'a', 'b/', 'b/1', 'b/c/', 'b/c/2', 'node_modules/', 'out@'], 'links are not followed')
  t.same((await use('list_files', { path: 'b' })).text, '1\nc/')
})

t.test('a large one is cut', async (t) => {
  const { cwd, use } = workshop(t)
  for (let n = 0; n < 1005; n++) writeFileSync(join(cwd, `f${n}`), '')
  const lines = (await use('list_files', {})).text.split('\n')
  t.equal(lines.length, 1001)
  t.match(lines.at(-1), /more than these 1000/)
})

t.test('what is no directory', async (t) => {
  const { cwd, use } = workshop(t)
  writeFileSync(join(cwd, 'file'), '')
  await t.rejects(use('list_files', { path: 'missing' }), { code: 'ENOENT' })
  await t.rejects(use('list_files', { path: 'file' }), { code: 'ENOTDIR' })
  await t.rejects(use('list_files', { depth: 0 }), /depth: /)
})
