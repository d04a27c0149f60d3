/** What systemd is told where telling it fails. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createQuietLogger } from '../../src/base/logger.js'
import { createNotify } from '../../src/daemon/notify.js'
import { tempDir } from '../helpers/home.js'

// A daemon whose agent had taken all processes of the session ended as if it had never been ready, and was started again.
function stage(t: Test) {
  const directory = tempDir(t)
  const [said, program] = [join(directory, 'said'), join(directory, 'systemd-notify')]
  writeFileSync(said, '')
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = `${directory}:${path}`
  const notify = createNotify(createQuietLogger('test'), { NOTIFY_SOCKET: '/somewhere' })
  const answer = (script: string) => {
    writeFileSync(program, `#!/bin/sh\necho "$@" >> '${said}'\n${script}\n`)
    chmodSync(program, 0o755)
  }
  return { notify, answer, times: () => readFileSync(said, 'utf8').split('\n').length - 1, said }
}

t.test('ready is said again until the manager has heard it, and then no more', async (t) => {
  const { notify, answer, times } = stage(t)
  const ready = async (status: number) => {
    answer(`exit ${status}`)
    notify.ready()
    await notify.sent()
    return times()
  }
  t.equal(await ready(1), 1, 'it was not heard')
  t.equal(await ready(0), 2, 'so it is said again')
  t.equal(await ready(0), 2, 'once it was heard, no more')
})

t.test('who is about to end waits until it was heard, and not for ever', async (t) => {
  const { notify, answer, times, said } = stage(t)
  answer(`[ "$(wc -l < '${said}')" -ge 3 ]`)
  await notify.heard()
  t.equal(times(), 3)
  await notify.heard()
  t.equal(times(), 3)
  const deaf = stage(t)
  deaf.answer('exit 1')
  await deaf.notify.heard()
  t.equal(deaf.times(), 10)
})
