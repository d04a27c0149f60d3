/** What the stand-in for launchd takes for a job, held against launchd.plist(5); real errors of ours must not pass it. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { plistText } from '../../src/supervisor/launchd/plist.js'
import { tempDir } from '../helpers/home.js'
import { checkJob, readJob } from './keys.js'

const least = { Label: 'x', ProgramArguments: ['/bin/true'] }

t.test('what a job says nothing of is as the manual has it', async (t) => {
  t.match(checkJob(least), {
    RunAtLoad: false,
    KeepAlive: false,
    ThrottleInterval: 10,
    AbandonProcessGroup: false,
    LimitLoadToSessionType: ['Aqua'],
  })
  t.strictSame(checkJob({ ...least, LimitLoadToSessionType: 'Background' }).LimitLoadToSessionType, ['Background'])
})

t.test('unknown keys, wrong types and missing ones are refused', async (t) => {
  const bad: [unknown, RegExp][] = [
    [[], /not a dictionary/],
    [{ ProgramArguments: ['/bin/true'] }, /Label is missing/],
    [{ Label: 'x' }, /ProgramArguments is missing/],
    [{ ...least, Keepalive: true }, /unknown key Keepalive/],
    [{ ...least, RunAtLoad: 'true' }, /RunAtLoad cannot be "true"/],
    [{ ...least, ProgramArguments: [] }, /ProgramArguments cannot be/],
    [{ ...least, ProgramArguments: ['a', 1] }, /ProgramArguments cannot be/],
    [{ ...least, KeepAlive: { Crashed: true } }, /KeepAlive cannot be/],
    [{ ...least, Umask: '077' }, /Umask cannot be/],
    [{ ...least, ThrottleInterval: -1 }, /ThrottleInterval cannot be/],
    [{ ...least, ExitTimeOut: 1.5 }, /ExitTimeOut cannot be/],
    [{ ...least, EnvironmentVariables: { A: 1 } }, /EnvironmentVariables cannot be/],
    [{ ...least, ProcessType: 'Fast' }, /ProcessType cannot be/],
    [{ ...least, LimitLoadToSessionType: ['Screen'] }, /LimitLoadToSessionType cannot be/],
  ]
  for (const [value, message] of bad) t.throws(() => checkJob(value), { message })
})

t.test('a file that others may write is refused', async (t) => {
  const path = join(tempDir(t), 'x.plist')
  writeFileSync(path, plistText(least))
  chmodSync(path, 0o622)
  t.throws(() => readJob(path), { message: /bad ownership/ })
  chmodSync(path, 0o600)
  t.match(readJob(path), least)
  writeFileSync(path, 'not xml')
  t.throws(() => readJob(path))
})
