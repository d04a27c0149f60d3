/** Signals for all processes of a session, of which the agent dies before the daemon has heard of its own. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Agentz, requireManager } from '../helpers/agentz.js'
import { tempDir } from '../helpers/home.js'

requireManager()

/** In `sh`: the daemon gets the signal, well behind the end of its agent. */
const daemonLater = (signal: string) =>
  `daemon=$PPID; (sleep 0.1; kill -s ${signal} $daemon) </dev/null >/dev/null 2>&1 &`

for (const [end, signal] of [
  ['kill -s TERM $$', 'TERM'],
  ['kill -s INT $$', 'INT'],
  ['exit 143', 'TERM'],
] as const) {
  t.test(`a program ends by \`${end}\`, and then comes SIG${signal}: it was stopped`, async (t) => {
    const a = new Agentz(t)
    const { sessionId } = a.run('-a', 'command', '--', 'sh', '-c', `${daemonLater(signal)} ${end}`)
    await a.untilType(sessionId, 'daemon_exited')
    t.match(await a.untilType(sessionId, 'session_interrupted'), { cause: { result: 'stopped' } })
    t.match(a.show(sessionId), { status: 'interrupted', cause: { result: 'stopped' } })
  })
}

t.test('a signal for the program alone is its end', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run('-a', 'command', '--', 'sh', '-c', 'kill -s TERM $$')
  t.match(await a.untilType(sessionId, 'session_failed'), { cause: { result: 'signal', status: 'TERM' } })
})

for (const status of [143, 0]) {
  t.test(`an agent that is talked with exits with ${status}, and then comes the signal: it was stopped`, async (t) => {
    const bin = tempDir(t)
    writeFileSync(join(bin, 'claude'), `#!/bin/sh\n${daemonLater('TERM')} exit ${status}\n`)
    chmodSync(join(bin, 'claude'), 0o755)
    const a = new Agentz(t, undefined, { HOME: bin, PATH: `${bin}:${process.env.PATH}` })
    const { sessionId } = a.run('-a', 'claude', 'do it')
    t.match(await a.untilType(sessionId, 'session_interrupted'), { cause: { result: 'stopped' } })
  })
}
