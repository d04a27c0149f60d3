/** Who waits for more of a stream: each is told of everything, a few at a time. */
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { Listeners } from '../../src/streams/listeners.js'

/** What has happened so far, and how much of it each has seen when it was told last. */
function crowd(size: number) {
  const listeners = new Listeners()
  const happened = { count: 0 }
  const seen: number[] = Array(size).fill(0)
  const leave = seen.map((_, at) =>
    listeners.add(() => {
      seen[at] = happened.count
    }),
  )
  const tell = () => {
    happened.count++
    listeners.tell()
  }
  return { listeners, seen, leave, tell }
}

t.test('a few are told at once, and many in turns between which others have theirs', async (t) => {
  const few = crowd(3)
  few.tell()
  t.same(few.seen, [1, 1, 1])
  const many = crowd(100)
  many.tell()
  const told = () => many.seen.filter((count) => count === 1).length
  t.ok(told() > 0 && told() < 20, `${told()} at once`)
  let turns = 0
  for (; told() < 100; turns++) await turn()
  t.ok(turns > 5, `the last one after ${turns} turns`)
})

t.test('whatever happens in between, in the end each has seen all of it; who has left is told nothing', async (t) => {
  const step = fc.oneof(fc.constant('tell' as const), fc.constant('turn' as const), fc.nat({ max: 59 }))
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 60 }), fc.array(step, { maxLength: 60 }), async (size, steps) => {
      const { listeners, seen, leave, tell } = crowd(size)
      const left = new Map<number, number>()
      let happened = 0
      for (const each of steps) {
        if (each === 'turn') await turn()
        else if (each === 'tell') {
          happened++
          tell()
        } else if (each < size && !left.has(each)) {
          leave[each]?.()
          left.set(each, seen[each] ?? 0)
        }
      }
      // One round that is under way, and the one after it, each with a turn for its start.
      for (let n = 0; n < 2 * size + 4; n++) await turn()
      t.equal(listeners.size, size - left.size)
      return seen.every((count, at) => count === (left.get(at) ?? happened))
    }),
    { numRuns: 200 },
  )
})

t.test('appends that never cease keep nobody waiting', async (t) => {
  const { seen, tell } = crowd(100)
  for (let n = 0; n < 60; n++) {
    tell()
    await turn()
  }
  t.ok(Math.min(...seen) > 20, `the last to be told has seen ${Math.min(...seen)} of 60`)
})
