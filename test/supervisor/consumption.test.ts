import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import { newId } from '../../src/session/id.js'
import { consumptionIn } from '../../src/supervisor/consumption.js'
import { SystemdSupervisor, unitName } from '../../src/supervisor/systemd.js'

const [slice, id, unit] = ['/user/agentz.slice', '0123456789ab', 'agentz-session-0123456789ab.service']

t.test('control groups of each version', async (t) => {
  const rows: [string, Record<string, string>, object][] = [
    [
      'version 2',
      {
        [`${slice}/${unit}/memory.current`]: '4096\n',
        [`${slice}/${unit}/cpu.stat`]: 'usage_usec 1500000\nuser_usec 1\n',
      },
      { memoryBytes: 4096, cpuSeconds: 1.5 },
    ],
    [
      'hybrid',
      {
        [`memory${slice}/${unit}/memory.usage_in_bytes`]: '8192\n',
        [`unified${slice}/${unit}/cpu.stat`]: 'usage_usec 20\n',
      },
      { memoryBytes: 8192, cpuSeconds: 0.00002 },
    ],
    [
      'version 1',
      {
        [`memory${slice}/${unit}/memory.usage_in_bytes`]: '1\n',
        [`cpuacct${slice}/${unit}/cpuacct.usage`]: '2000000000\n',
      },
      { memoryBytes: 1, cpuSeconds: 2 },
    ],
    ['no accounting of memory', { [`${slice}/${unit}/cpu.stat`]: 'usage_usec 0\n' }, { cpuSeconds: 0 }],
    [
      'what is no number',
      { [`${slice}/${unit}/cpu.stat`]: 'usage_usec x\n', [`${slice}/${unit}/memory.current`]: 'max\n' },
      {},
    ],
  ]
  for (const [name, files, wanted] of rows) {
    const below = t.testdir()
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(below, path)), { recursive: true })
      writeFileSync(join(below, path), text)
    }
    // Also with more than are read at once.
    const others = Array.from({ length: 120 }, (_, at) => [at.toString(16).padStart(12, 'f'), `${at}.service`] as const)
    const found = await consumptionIn(slice, new Map([...others, [id, unit]]), below)
    t.same([...found], Object.keys(wanted).length === 0 ? [] : [[id, wanted]], name)
  }
})

t.test('a unit of the real manager', async (t) => {
  const supervisor = new SystemdSupervisor(homePaths(t.testdir()))
  const [runs, absent] = [newId(), newId()]
  const hold = ['--user', '--quiet', '--slice=agentz.slice', '--property=Type=exec', `--unit=${unitName(runs)}`]
  execFileSync('systemd-run', [...hold, 'sleep', '60'])
  t.teardown(() => execFileSync('systemctl', ['--user', 'stop', unitName(runs)]))
  const found = await supervisor.consumption([runs, absent])
  t.same([...found.keys()], [runs])
  const { memoryBytes = 0, cpuSeconds = 0 } = found.get(runs) ?? {}
  t.ok(memoryBytes > 10_000, `${memoryBytes} bytes`)
  t.ok(cpuSeconds > 0 && cpuSeconds < 10, `${cpuSeconds} s`)
})
