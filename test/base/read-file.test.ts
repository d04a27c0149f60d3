/** Reading small files, and what stands in their place; a pipe must never hold the command line. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/base/config.js'
import { readRegularFile } from '../../src/base/read-file.js'
import { withHomeEnvironment } from '../../src/session/environment.js'
import { readRegistry } from '../../src/session/registry.js'
import { newHome, tempDir } from '../helpers/home.js'

t.test('a file, and a link to one', async (t) => {
  const directory = tempDir(t)
  writeFileSync(join(directory, 'a'), 'text')
  symlinkSync('a', join(directory, 'b'))
  for (const name of ['a', 'b']) t.equal(readRegularFile(join(directory, name)).toString(), 'text')
  t.throws(() => readRegularFile(join(directory, 'c')), { code: 'ENOENT' })
})

t.test('a pipe, a directory, a device', async (t) => {
  const directory = tempDir(t)
  execFileSync('mkfifo', [join(directory, 'pipe')])
  mkdirSync(join(directory, 'directory'))
  for (const path of [join(directory, 'pipe'), join(directory, 'directory'), '/dev/zero']) {
    t.throws(() => readRegularFile(path), /not a regular file/, path)
  }
})

t.test('pipes in the place of config.json, env and the caches', async (t) => {
  const home = newHome(t)
  for (const path of [home.config, home.env, home.checkpoint, home.mark]) execFileSync('mkfifo', [path])
  t.throws(() => readConfig(home), { code: 'CONFIG_INVALID' })
  t.throws(() => withHomeEnvironment(home, {}), { code: 'CONFIG_INVALID' })
  t.equal(readRegistry(home).rows.size, 0, 'a cache is only left out')
})
