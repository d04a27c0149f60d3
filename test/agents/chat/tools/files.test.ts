import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { editFile, readFile, writeFile } from '../../../../src/agents/chat/tools/files.js'
import { workshop } from '../use.js'

t.test('read_file', async (t) => {
  const { cwd, use } = workshop(t)
  const read = (input: object) => use('read_file', input)
  writeFileSync(join(cwd, 'three'), 'one\ntwo\nthree\n')
  writeFileSync(join(cwd, 'empty'), '')
  t.same(await read({ path: 'three' }), { text: 'one\ntwo\nthree' })
  t.same(await read({ path: 'three', from: 2, lines: 1 }), { text: 'two\n[these are lines 2 to 2 of 3]' })
  t.match(await read({ path: 'three', from: 4 }), { text: /has 3 lines/, failed: true })
  t.same(await read({ path: 'empty' }), { text: '[the file is empty]' })
  writeFileSync(join(cwd, 'long'), 'line\n'.repeat(5000))
  t.match((await read({ path: 'long' })).text, /\n\[these are lines 1 to 2000 of 5000\]$/)
})

t.test('read_file refuses what is no text file', async (t) => {
  const { cwd, use } = workshop(t)
  const read = (path: string) => use('read_file', { path })
  mkdirSync(join(cwd, 'dir'))
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  writeFileSync(join(cwd, 'binary'), Buffer.of(1, 0, 2))
  writeFileSync(join(cwd, 'huge'), '')
  truncateSync(join(cwd, 'huge'), 1e9)
  await t.rejects(read('missing'), /There is no file .*missing/)
  await t.rejects(read('dir'), /is a directory/)
  await t.rejects(read('pipe'), /no regular file/)
  await t.rejects(read('binary'), /no text file/)
  await t.rejects(read('huge'), /1000000000 bytes/)
})

t.test('write_file', async (t) => {
  const { cwd, use } = workshop(t)
  const write = (path: string, content: string) => use('write_file', { path, content })
  t.same(await write('a/b/c.txt', 'hé'), { text: 'Made a/b/c.txt: 3 bytes' })
  t.equal(readFileSync(join(cwd, 'a/b/c.txt'), 'utf8'), 'hé')
  t.same(await write('a/b/c.txt', ''), { text: 'Replaced a/b/c.txt: 0 bytes' })
  await t.rejects(write('a', 'x'), /is a directory/)
  await t.rejects(write('a/b/c.txt/d', 'x'), /ENOTDIR/)
  writeFileSync(join(cwd, 'script'), '', { mode: 0o755 })
  await write('script', '#!/bin/sh\n')
  t.equal(statSync(join(cwd, 'script')).mode & 0o777, 0o755, 'who may do what with it stays')
})

t.test('edit_file', async (t) => {
  const { cwd, use } = workshop(t)
  const file = join(cwd, 'f')
  const edit = (more: object) => use('edit_file', { path: 'f', ...more })
  writeFileSync(file, 'a $1 b\na $1 b\nc\n')
  t.match(await edit({ old_text: 'zzz', new_text: '' }), { failed: true, text: /does not stand in f/ })
  t.match(await edit({ old_text: 'a $1', new_text: 'x' }), { failed: true, text: /stands 2 times/ })
  t.equal(readFileSync(file, 'utf8'), 'a $1 b\na $1 b\nc\n', 'nothing was done')
  t.same(await edit({ old_text: 'c\n', new_text: '$&$1\n' }), { text: 'Edited f: one place' })
  t.same(await edit({ old_text: 'a $1', new_text: 'x', all: true }), { text: 'Edited f: 2 places' })
  t.equal(readFileSync(file, 'utf8'), 'x b\nx b\n$&$1\n', 'nothing in it is taken for a pattern')
  await t.rejects(use('edit_file', { path: 'none', old_text: 'a', new_text: 'b' }), /There is no file/)
})

t.test('an input that does not fit is named', async (t) => {
  const { use } = workshop(t)
  await t.rejects(use('read_file', {}), /does not fit the tool: path: /)
  await t.rejects(use('read_file', { path: 'f', from: 0 }), /from: /)
  await t.rejects(use('write_file', { path: 'f' }), /content: /)
  await t.rejects(use('edit_file', { path: 'f', old_text: '', new_text: 'x' }), /old_text: /)
  await t.rejects(use('read_file', 'f'), /the input: /)
})

t.test('the action names the real path', async (t) => {
  const { cwd, place } = workshop(t)
  symlinkSync('/etc', join(cwd, 'link'))
  const input = { path: 'link/passwd', content: '', old_text: 'a', new_text: '' }
  const action = { path: '/etc/passwd', guarded: true }
  t.match(readFile.call(input, place).action, { kind: 'read', ...action })
  t.match(writeFile.call(input, place).action, { kind: 'write', ...action })
  t.match(editFile.call(input, place), { title: 'Edit /etc/passwd (outside of the working directory)', action })
})
