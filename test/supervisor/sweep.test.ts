import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sessionEnv } from '../../src/base/paths.js'
import { sweepEnvironments } from '../../src/supervisor/sweep.js'
import { newHome } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'

t.test('environments of sessions that never came to be', async (t) => {
  const home = newHome(t)
  const { sessionId } = await newSession(home)
  const [old, young] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb']
  for (const id of [old, young]) writeFileSync(sessionEnv(home, id), 'KEY=secret\n', { mode: 0o600 })
  symlinkSync('/etc/hostname', sessionEnv(home, 'cccccccccccc'))
  mkdirSync(sessionEnv(home, 'dddddddddddd'))
  writeFileSync(join(home.sessions, 'mine.env'), 'A=b\n')
  const before = new Date(Date.now() - 61_000)
  for (const path of [sessionEnv(home, old), sessionEnv(home, sessionId), join(home.sessions, 'mine.env')])
    utimesSync(path, before, before)
  const all = readdirSync(home.sessions)
  sweepEnvironments(home)
  t.same(
    readdirSync(home.sessions),
    all.filter((name) => name !== `${old}.env`),
    'one goes; those of a session, of one that is being made, and what is no such file stay',
  )
  sweepEnvironments(home, Date.now() + 61_000)
  t.notOk(readdirSync(home.sessions).includes(`${young}.env`))
  t.ok(readdirSync(home.sessions).includes(`${sessionId}.env`))
})
