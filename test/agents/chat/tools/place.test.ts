import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Place } from '../../../../src/agents/chat/tools/place.js'
import { tempDir } from '../../../helpers/home.js'

/** A working directory, with a neighbour that links lead to. */
function stage(t: Parameters<typeof tempDir>[0]) {
  const root = realpathSync(tempDir(t))
  const [cwd, outside] = [join(root, 'work'), join(root, 'outside')]
  for (const path of [cwd, outside]) mkdirSync(path)
  return { root, cwd, outside, place: new Place(cwd) }
}

t.test('paths are real, whatever way they are written', async (t) => {
  const { cwd, outside, place } = stage(t)
  t.equal(place.resolve('a/../b'), join(cwd, 'b'))
  t.equal(place.resolve('.'), cwd)
  t.equal(place.resolve(join(cwd, 'x')), join(cwd, 'x'))
  t.equal(place.resolve('../outside/x'), join(outside, 'x'))
  t.equal(place.resolve('not/yet/there'), join(cwd, 'not/yet/there'))
  t.throws(() => place.resolve('a\0b'), /zero byte/)
})

t.test('links that lead out count as outside', async (t) => {
  const { cwd, outside, place } = stage(t)
  writeFileSync(join(outside, 'file'), '')
  symlinkSync(outside, join(cwd, 'dir'))
  symlinkSync(join(outside, 'file'), join(cwd, 'file'))
  symlinkSync(join(outside, 'to-be-made'), join(cwd, 'dangling'))
  symlinkSync('dangling', join(cwd, 'twice'))
  symlinkSync('inside', join(cwd, 'harmless'))
  for (const path of ['dir/x', 'dir', 'file', 'dangling', 'twice', 'dir/deeper/x', '..']) {
    t.equal(place.isInside(place.resolve(path)), false, path)
    t.equal(place.isGuarded('read', place.resolve(path)), true, path)
  }
  t.equal(place.resolve('harmless'), join(cwd, 'inside'))
  t.equal(place.isGuarded('write', place.resolve('harmless')), false)
})

t.test('a name that only begins like the directory is not in it', async (t) => {
  const { root, place } = stage(t)
  t.equal(place.isInside(join(root, 'workshop')), false)
  t.equal(new Place('/').isInside('/etc'), true)
})

t.test('links in a circle are an error', async (t) => {
  const { cwd, place } = stage(t)
  symlinkSync('b', join(cwd, 'a'))
  symlinkSync('a', join(cwd, 'b'))
  t.throws(() => place.resolve('a'), /ELOOP|too many links/)
})

t.test('what git runs may be read, and is guarded where it is written', async (t) => {
  const { place } = stage(t)
  for (const path of ['.git/hooks/pre-commit', 'sub/.git/config']) {
    t.equal(place.isGuarded('write', place.resolve(path)), true, path)
    t.equal(place.isGuarded('read', place.resolve(path)), false, path)
  }
  t.equal(place.isGuarded('write', place.resolve('.github/x')), false)
})

t.test('people see where it is', async (t) => {
  const { cwd, outside, place } = stage(t)
  t.equal(place.show(join(cwd, 'a/b')), 'a/b')
  t.equal(place.show(cwd), '.')
  t.equal(place.show(join(outside, 'x')), `${join(outside, 'x')} (outside of the working directory)`)
  t.throws(() => new Place(join(cwd, 'missing')), { code: 'ENOENT' })
})

t.test('AGENTZ_HOME inside of the working directory needs a look of its own', async (t) => {
  const cwd = t.testdir({ '.agentz': { env: 'KEY=1' }, src: { 'a.ts': '' } })
  const place = new Place(cwd, join(cwd, '.agentz'))
  for (const kind of ['read', 'write'] as const) {
    t.equal(place.isGuarded(kind, place.resolve('.agentz/env')), true)
    t.equal(place.isGuarded(kind, place.resolve('.agentz/sessions/new.ndjson')), true)
    t.equal(place.isGuarded(kind, place.resolve('src/a.ts')), false)
  }
})
