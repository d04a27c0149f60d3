import t from 'tap'
import { AskedLimits, bytes, Fleet, Limits, limitsOf } from '../../src/base/limits.js'

t.test('a size is what systemd takes it for', async (t) => {
  for (const [text, size] of Object.entries({
    512: 512,
    '4K': 4096,
    '300M': 314572800,
    '2G': 2 ** 31,
    '1T': 2 ** 40,
  })) {
    t.equal(bytes(text), size, text)
  }
})

t.test('what is asked for wins over the default, and null lifts it', async (t) => {
  t.equal(limitsOf(), undefined)
  t.equal(limitsOf({}, {}), undefined)
  t.same(limitsOf(undefined, { memory: '4G' }), { memory: '4G' })
  t.same(limitsOf({ cpu: '50%' }, { memory: '4G', cpu: '150%' }), { memory: '4G', cpu: '50%' })
  t.same(limitsOf({ memory: null }, { memory: '4G', tasks: 100 }), { tasks: 100 })
  t.equal(limitsOf({ memory: null, tasks: null }, { memory: '4G' }), undefined, 'also one that is not there')
})

t.test('what is no limit', async (t) => {
  const wrong: [string, unknown][] = [
    ...['255M', '0', '4g', '-1G', '1.5G', 'none', '', '16777216T', 5, true].map(
      (value) => ['memory', value] as [string, unknown],
    ),
    ...['150', '0%', '-5%', '1.5%', '', 100].map((value) => ['cpu', value] as [string, unknown]),
    ...[63, 0, -1, 100.5, '100'].map((value) => ['tasks', value] as [string, unknown]),
  ]
  for (const [name, value] of wrong) {
    for (const schema of [Limits, AskedLimits, Fleet]) {
      t.equal(schema.safeParse({ [name]: value }).success, false, `${name} ${JSON.stringify(value)}`)
    }
  }
  for (const value of [0, 1.5, '60', -1])
    t.equal(Limits.safeParse({ runtime: value }).success, false, `runtime ${value}`)
  for (const value of [0, 1.5, '3', null])
    t.equal(Fleet.safeParse({ sessions: value }).success, false, `sessions ${value}`)
  t.equal(Limits.safeParse({ memory: null }).success, false, 'a default lifts nothing')
  t.equal(Fleet.safeParse({ runtime: 5 }).success, false, 'all together have no end')
})
