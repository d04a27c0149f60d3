/** Starts of one kind of agent are apart, whichever process starts them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pace } from '../../src/daemon/pace.js'
import { newHome, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

const SPACING = 300

t.test('starts of several processes at once', async (t) => {
  const home = newHome(t)
  const starter = await program(
    tempDir(t),
    `import { homePaths } from './src/base/paths.js'
    import { pace } from './src/daemon/pace.js'
    console.log('ready')
    for await (const _ of process.stdin) {
      for (let i = 0; i < 2; i++) {
        await pace(homePaths(), 'fake', ${SPACING})
        console.log('at', Date.now())
      }
      break
    }`,
  )
  const children = [1, 2, 3].map(() => start(t, [process.execPath, starter], { AGENTZ_HOME: home.root }))
  for (const child of children) await child.said('ready')
  for (const child of children) child.tell('go\n')
  const times: number[] = []
  for (const { ended } of children) {
    times.push(...[...(await ended).stdout.matchAll(/at (\d+)/g)].map((match) => Number(match[1])))
  }
  times.sort((a, b) => a - b)
  t.equal(times.length, 6)
  // A timer may be late, and so one start nearer to the next; never by half.
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  t.ok(Math.min(...gaps) > SPACING / 2, gaps.join(', '))
})

t.test('the first one waits for nobody, other kinds neither, and none where nothing is asked', async (t) => {
  const home = newHome(t)
  const begin = performance.now()
  await pace(home, 'one', 60_000)
  await pace(home, 'two', 60_000)
  await pace(home, 'three', 0)
  t.ok(performance.now() - begin < 2000)
  t.notOk(existsSync(join(home.cache, 'start-three')))
})

t.test('a file that tells nonsense stops nobody', async (t) => {
  const home = newHome(t)
  const path = join(home.cache, 'start-fake')
  for (const text of ['', 'soon', '-5', '1e300', String(Date.now() + 3_600_000), String(Date.now() - 3_600_000)]) {
    writeFileSync(path, text)
    const begin = Date.now()
    await pace(home, 'fake', 1000)
    t.ok(Date.now() - begin < 900, `${JSON.stringify(text)}: ${Date.now() - begin} ms`)
    t.ok(Math.abs(Number(readFileSync(path, 'utf8')) - begin - 1000) < 900, 'and is put right')
  }
})
