import { writeFileSync } from 'node:fs'
import t from 'tap'
import { capSlice, differing, slice } from '../../src/supervisor/slice.js'
import { Agentz, requireManager, systemctl } from '../helpers/agentz.js'

requireManager()

const free = 'MemoryMax=infinity\nCPUQuotaPerSecUSec=infinity\nTasksMax=infinity\n'
const capped = 'TasksMax=1000\nMemoryMax=1073741824\nCPUQuotaPerSecUSec=1min 1.500000s\n'

t.test('only what differs is set', async (t) => {
  const all = { memory: '1G', cpu: '6150%', tasks: 1000 }
  t.same(differing(all, free), ['MemoryMax=1G', 'CPUQuota=6150%', 'TasksMax=1000'])
  t.same(differing(all, capped), [])
  t.same(differing({ ...all, memory: '1024M' }, capped), [], 'the same in other words')
  t.same(differing({ memory: '2G' }, capped), ['MemoryMax=2G'])
  t.same(differing({}, capped), [], 'what is not named stays')
  const lifted = { memory: null, cpu: null, tasks: null }
  t.same(differing(lifted, capped), ['MemoryMax=infinity', 'CPUQuota=', 'TasksMax=infinity'])
  t.same(differing(lifted, free), [])
})

const shown = () => systemctl('show', '-p', 'MemoryMax,CPUQuotaPerSecUSec,TasksMax', slice)
const lift = { memory: null, cpu: null, tasks: null }

t.test('config.json caps the slice of all sessions, before one is started', async (t) => {
  t.teardown(() => capSlice(lift))
  const a = new Agentz(t)
  const config = (fleet: object) => writeFileSync(a.home.config, JSON.stringify({ fleet }))
  // Sessions of other tests run in the same slice: caps that they do not feel.
  config({ memory: '12G', cpu: '250%', tasks: 900 })
  a.run('-a', 'command', '--', 'true')
  t.match(shown(), /MemoryMax=12884901888\n/)
  t.match(shown(), /CPUQuotaPerSecUSec=2\.5/)
  t.match(shown(), /TasksMax=900\n/)
  t.same(differing({ memory: '12G', cpu: '250%', tasks: 900 }, shown()), [], 'as systemd prints it')
  config({ memory: '13G' })
  a.run('-a', 'command', '--', 'true')
  t.match(shown(), /MemoryMax=13958643712\n/)
  t.match(shown(), /TasksMax=900\n/, 'what it does not name stays')
  config(lift)
  a.run('-a', 'command', '--', 'true')
  t.equal(shown().split('=infinity').length, 4, shown())
  config({ memory: '100M' })
  const refused = a.do('run', '-d', '-a', 'command', '--', 'true')
  t.equal(refused.status, 1)
  t.match(refused.stderr, /config\.json: fleet\.memory: must be at least 256M/)
})
