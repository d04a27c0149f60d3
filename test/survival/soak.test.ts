/**
 * The soak: sessions that two writers talk to, readers, and a killer, all by chance from one seed; afterwards every promise is looked at. A
 * minute, or as `scripts/soak` asks for: AGENTZ_SOAK_SEED, AGENTZ_SOAK_SECONDS, AGENTZ_SOAK_KILLS.
 */
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { requireManager } from '../helpers/agentz.js'
import { broken, delays } from './soak/check.js'
import type { Shown } from './soak/history.js'
import { Killer } from './soak/killer.js'
import { leftovers } from './soak/leftovers.js'
import { outcomeOf, pause } from './soak/process.js'
import { Random } from './soak/random.js'
import { Story } from './soak/story.js'
import { World } from './soak/world.js'

requireManager()

const setting = (name: string, usual: number) => Number(process.env[`AGENTZ_SOAK_${name}`] ?? usual)
const seed = setting('SEED', Date.now() % 2 ** 32)
const seconds = setting('SECONDS', 60)
/** Not before so many kills, however long it takes. */
const kills = setting('KILLS', 0)
/** Milliseconds until the cause of an end, and the last word on a session, must be on disk. Tests that run beside this one slow it down. */
const latest = setting('LATEST', 10_000)
const LIVING = 6
const program = fileURLToPath(new URL('soak/program.sh', import.meta.url))

type Row = { sessionId: string; status: string }

t.test(`soak of seed ${seed}`, { timeout: 0 }, async (t) => {
  const world = new World(t, new Random(seed))
  const { server, units, agentz, random, counts } = world
  const stories: Story[] = []
  const living = new Set<Story>()
  const shown: Shown[] = []
  const end = Date.now() + seconds * 1000
  const killed = () =>
    ['daemons', 'agents', 'units', 'servers'].reduce((sum, what) => sum + world.counted(`${what} killed`), 0)
  let hasFailed = false
  const isOver = () => hasFailed || (Date.now() > end && killed() >= kills)
  const watching = units.watch()

  async function begin(): Promise<Story> {
    const prompt = `work ${random.between(5, 30)} m-prompt`
    if (random.chance(0.3)) {
      const { code, out, err } = await outcomeOf(agentz.spawn(['run', '--json', '-C', world.work, prompt]))
      // Refused for a full disk: nothing was begun.
      return code === 0 ? new Story(world, JSON.parse(out).sessionId) : fail(err)
    }
    if (random.chance(0.15)) {
      const argv = [program, world.notesOf, String(random.between(5, 60))]
      const { code, out, err } = await outcomeOf(
        agentz.spawn(['run', '--json', '-C', world.work, '-a', 'command', '--', ...argv]),
      )
      return code === 0 ? new Story(world, JSON.parse(out).sessionId, true) : fail(err)
    }
    const request = { agentType: 'claude', prompt, workingDir: world.work }
    const { status, body } = await server.insist('POST', '/v1/sessions', request)
    return status === 201 ? new Story(world, String(body.sessionId)) : fail(JSON.stringify(body))
  }

  async function fail(why: string): Promise<Story> {
    if (!/LOG_WRITE|cannot append|No space|ENOSPC/.test(why)) throw new Error(why)
    await pause(200)
    return begin()
  }

  async function chain(): Promise<void> {
    while (!isOver()) {
      const story = await begin()
      stories.push(story)
      living.add(story)
      const following = random.chance(0.6) ? read(story) : undefined
      await story.play()
      living.delete(story)
      await following
    }
  }

  async function read(story: Story): Promise<void> {
    const seen: Shown = { reader: `reader ${shown.length}`, sessionId: story.id, lines: [], damaged: [] }
    shown.push(seen)
    await server.follow(seen, () =>
      living.has(story) || units.carries(story.id) ? undefined : statSync(story.path).size,
    )
  }

  const killer = new Killer(world, () => [...living])
  // One that throws ends the test, which ends nothing else by itself.
  t.teardown(() => {
    units.end()
    return server.end()
  })
  const actors = [killer.run(isOver, setting('REST', 250)), ...Array.from({ length: LIVING }, chain)]
  await Promise.all(actors).catch((error: unknown) => {
    hasFailed = true
    // At once: the others come to their end first.
    console.error(error)
    throw error
  })
  await units.fresh()

  const late: number[] = []
  const rests = await leftovers(
    agentz.home,
    stories.map(({ id }) => id),
  )
  const { body: list } = await server.insist('GET', '/v1/sessions')
  const listed = new Map((list.sessions as Row[]).map(({ sessionId, status }) => [sessionId, status]))
  const byCli = new Map(agentz.ls().map(({ sessionId, status }) => [sessionId, status]))
  for (const story of stories) {
    const { history, id } = story
    const { body } = await server.insist('GET', `/v1/sessions/${id}`)
    const statuses = {
      ls: byCli.get(id) ?? 'unknown',
      list: listed.get(id) ?? 'unknown',
      http: String(body.status),
      file: story.state().status,
    }
    const faults = broken({
      history,
      file: readFileSync(story.path),
      notes: world.notes(id),
      shown: shown.filter(({ sessionId }) => sessionId === id),
      leftovers: rests.get(id) ?? [],
      statuses,
    })
    // While the disk is full nothing can be written.
    if (history.diskFull === 0) {
      const { exit, ending } = delays({ history, file: readFileSync(story.path) })
      late.push(...exit, ...ending)
    }
    if (faults.length > 0) t.comment(readFileSync(story.path, 'utf8'))
    t.strictSame(faults, [], `${id} has kept every promise`)
  }
  units.end()
  await server.end()
  await watching

  const acknowledged = stories.reduce((sum, { history }) => sum + history.messages.length + history.answers.length, 0)
  const told = [...counts].sort().map(([what, times]) => `${times} ${what}`)
  t.comment(
    `seed ${seed}: ${stories.length} sessions, ${acknowledged} acknowledged, ${shown.length} readers, ${killed()} kills: ${told.join(', ')}`,
  )
  late.sort((a, b) => a - b)
  const share = (part: number) => late[Math.min(late.length - 1, Math.floor(late.length * part))]
  t.comment(
    `causes and last words were on disk after ${share(0.5)} ms (p50), ${share(0.99)} ms (p99), ${late.at(-1)} ms (latest)`,
  )
  t.ok((late.at(-1) ?? 0) <= latest, `none later than ${latest} ms`)
  t.ok(stories.length >= LIVING && acknowledged > 0, 'there was something to look at')
  t.ok(
    world.counted('daemons killed in mid-turn') > 0 && world.counted('servers killed') > 0,
    'and something to survive',
  )
})
