import fc from 'fast-check'
import t from 'tap'
import { Spacing } from '../../src/supervisor/spacing.js'

t.test('as asked for, more or less by half', async (t) => {
  const spacing = new Spacing(200)
  t.same(
    [0, 0.5, 1].map((chance) => spacing.next(chance)),
    [100, 200, 300],
  )
  spacing.took(300)
  t.equal(spacing.next(0.5), 200, 'the first start has nothing to be held against')
})

t.test('longer where starts take longer than the quickest one, and short again after it', async (t) => {
  const spacing = new Spacing(200)
  for (const ms of [300, 1300]) spacing.took(ms)
  t.equal(spacing.next(0.5), 1000)
  spacing.took(310)
  t.equal(spacing.next(0.5), 200)
})

t.test('whatever starts take, it is never shorter than half of what was asked for', async () => {
  const ms = fc.double({ min: 0, max: 60_000, noNaN: true })
  const chance = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(ms, fc.array(ms), chance, (asked, starts, chance) => {
      const spacing = new Spacing(asked)
      for (const start of starts) spacing.took(start)
      const next = spacing.next(chance)
      return next >= asked / 2 && next <= 1.5 * Math.max(asked, ...starts)
    }),
  )
})
