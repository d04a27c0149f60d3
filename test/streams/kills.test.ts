/** A server that is killed at each call by which it writes streams: what was acknowledged is there, the rest wholly or not at all. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { callsIn, hasKilled, killing, spelled, tracing } from '../survival/calls.js'
import { missing } from '../survival/needs.js'
import { observed, writer } from './story.js'

const countOf = (stdout: string) => stdout.split('\n').filter((line) => line.startsWith('done')).length

t.test('killed at each call', { skip: missing('strace') && 'there is no strace that can inject' }, async (t) => {
  const dir = tempDir(t)
  const path = await program(dir, writer)
  const home = (name: string) => {
    mkdirSync(join(dir, name))
    return join(dir, name, 'home')
  }
  const run = async (t: Test, strace: string[], root: string, copies = '') => {
    // One thread for syncs, so that the calls of each run are counted alike.
    const argv = [...strace, process.execPath, path, root, copies]
    return countOf((await start(t, argv, { UV_THREADPOOL_SIZE: '1' }).ended).stdout)
  }
  const states = [await observed(home('nothing'))]
  const steps = await run(t, [], home('kept'), join(dir, 'after-'))
  for (let at = 0; at < steps; at++) states.push(await observed(join(dir, `after-${at}`)))
  const trace = join(dir, 'trace')
  t.equal(await run(t, tracing(trace), home('traced')), steps)
  const calls = callsIn(trace, join(dir, 'traced', 'home', 'streams'))
  let killed = 0
  const turn = async (at: number): Promise<void> => {
    const call = calls[at]
    if (call === undefined) return
    const [root, output] = [home(`killed-${at}`), join(dir, `strace-${at}`)]
    const done = await run(t, killing(call, output), root)
    if (hasKilled(output)) killed++
    const now = await observed(root)
    t.ok([states[done], states[done + 1]].includes(now), `${spelled(call)}, after ${done} steps: ${now}`)
    t.equal(await observed(root), now, 'and it stays so')
    await turn(at + 2)
  }
  await Promise.all([turn(0), turn(1)])
  t.ok(killed > calls.length / 2, `killed at ${killed} of ${calls.length}`)
  t.comment(`killed at ${killed} of ${calls.length}: ${calls.map(spelled).join(', ')}`)
})
