/** Syncs that are handed over together are each done, and each fails by itself. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sync } from '../../src/log/sync.js'
import { tempDir } from '../helpers/home.js'

const done = (fd: number) => new Promise<Error | null>((resolve) => sync(fd, resolve))

t.test('many at once, of which some fail', async (t) => {
  const directory = tempDir(t)
  const fds = Array.from({ length: 20 }, (_, n) => openSync(join(directory, String(n)), 'a'))
  for (const fd of fds) writeSync(fd, 'x')
  // The kernel cannot sync a pipe or a device of this kind.
  const device = openSync('/dev/null', 'a')
  const all = await Promise.all([...fds, device, ...fds].map(done))
  t.equal(all.length, 41)
  t.same(
    all.map((error) => (error as NodeJS.ErrnoException | null)?.code),
    [...fds.map(() => undefined), 'EINVAL', ...fds.map(() => undefined)],
  )
  t.equal(await done(fds[0] ?? -1), null, 'and the next ones go on')
  for (const fd of [...fds, device]) closeSync(fd)
})
