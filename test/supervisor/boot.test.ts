/** Which boot this is: as the kernel of this machine says it, and as Darwin's does. */
import t from 'tap'
import { bootId, parseBootSession } from '../../src/supervisor/boot.js'

t.test('it stays the same, and has the form of a UUID', async (t) => {
  t.match(bootId(), /^[0-9a-f-]{36}$/)
  t.equal(bootId(), bootId())
})

t.test('what sysctl says on Darwin', async (t) => {
  const id = '4c1b39a2-0d5e-4b7f-9c58-1e2d3f4a5b6c'
  t.equal(parseBootSession('4C1B39A2-0D5E-4B7F-9C58-1E2D3F4A5B6C\n'), id)
  // Without the name there is `-n`; an old system knows no such name, and prints nothing.
  for (const bad of ['', '\n', 'kern.bootsessionuuid: 4C1B39A2-0D5E-4B7F-9C58-1E2D3F4A5B6C'])
    t.throws(() => parseBootSession(bad), { code: 'INTERNAL', message: /names no boot/ })
})
