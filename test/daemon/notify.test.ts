/** What systemd is told where telling it fails. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createQuietLogger } from '../../src/base/logger.js'
import { createNotify } from '../../src/daemon/notify.js'
import { tempDir } from '../helpers/home.js'

// A daemon whose agent had taken all processes of the session ended as if it had never been ready, and was started again.
t.test('ready is said again until the manager has heard it, and then no more', async (t) => {
  const directory = tempDir(t)
  const [said, program] = [join(directory, 'said'), join(directory, 'systemd-notify')]
  writeFileSync(said, '')
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = `${directory}:${path}`
  const notify = createNotify(createQuietLogger('test'), { NOTIFY_SOCKET: '/somewhere' })
  const ready = async (status: number) => {
    writeFileSync(program, `#!/bin/sh\necho "$@" >> '${said}'\nexit ${status}\n`)
    chmodSync(program, 0o755)
    notify.ready()
    await notify.sent()
    return readFileSync(said, 'utf8').split('\n').length - 1
  }
  t.equal(await ready(1), 1, 'it was not heard')
  t.equal(await ready(0), 2, 'so it is said again')
  t.equal(await ready(0), 2, 'once it was heard, no more')
})
