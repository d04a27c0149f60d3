import { join } from 'node:path'
import t from 'tap'
import { OomCount, oomKills } from '../../src/base/oom.js'

const dir = t.testdir({
  v1: '9:name=systemd:/x\n4:memory:/a:b\n0::/\n',
  v2: '0::/user.slice\n',
  none: '0::/elsewhere\n',
  fs: {
    memory: { 'a:b': { 'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n' } },
    'user.slice': { 'memory.events': 'low 0\noom 9\noom_kill 2\noom_group_kill 7\n' },
  },
})
const root = join(dir, 'fs')

t.test('the counters of both hierarchies', async (t) => {
  t.equal(oomKills(join(dir, 'v1'), root), 3)
  t.equal(oomKills(join(dir, 'v2'), root), 2)
})

t.test('nothing counts: 0', async (t) => {
  t.equal(oomKills(join(dir, 'none'), root), 0)
  t.equal(oomKills(join(dir, 'missing'), root), 0)
  t.ok(oomKills() >= 0)
})

t.test('an old rise of the counter is told from one whose victim may still be ending', async (t) => {
  let [kills, now] = [0, 0]
  const count = new OomCount(
    () => kills,
    () => now,
  )
  t.equal(count.look(), undefined, 'nothing has risen')
  kills = 2
  t.equal(count.look(), 2)
  t.equal(count.look(), undefined, 'told once')
  now = 4_000
  kills = 3
  t.equal(count.look(), 3)
  t.equal(count.settled(), 0, 'both may be the one that ends now')
  now = 6_000
  t.equal(count.settled(), 2)
  now = 10_000
  t.equal(count.settled(), 3)
  t.equal(count.look(), undefined, 'and is not told once more')
})
