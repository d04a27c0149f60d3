/** The registry and its cache, deleted, damaged and put back from a copy, under sessions that live. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Home } from '../../src/base/paths.js'
import { type Agentz, requireManager } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { get, newServer } from '../server/helpers.js'
import { place } from './place.js'
import { type SupervisorName, supervisors, survives } from './row.js'

requireManager()

interface Fleet {
  readonly a: Agentz
  readonly ids: string[]
  /** What every reader says of every session, but for when it last moved. */
  look(): Promise<unknown>
}

/** Two that run and two that have ended, one of them not well. */
async function newFleet(t: Test, name: SupervisorName): Promise<Fleet> {
  const { a, supervisor } = await place(t, name)
  const live = [await a.ticking(), await a.ticking()]
  const over = ['true', 'false'].map((program) => a.run('-a', 'command', '--', program))
  for (const { sessionId } of over) await known(a, sessionId, 'daemon_exited')
  const { home } = a
  await newServer(t, { home, supervisor })
  const socket = join(home.root, 'run', 's')
  const ids = [...live, ...over].map(({ sessionId }) => sessionId)
  const still = ({ updatedAt, usage, ...rest }: Record<string, unknown>) => rest
  const look = async () => ({
    listed: a.ls().map(still),
    served: JSON.parse((await get(socket, '/v1/sessions')).body.toString()).sessions.map(still),
    shown: a.show(ids[0]?.slice(0, 8) ?? '').status,
    awaited: a.do('wait', ids[3]?.slice(0, 8) ?? '').stdout,
  })
  return { a, ids, look }
}

const known = (a: Agentz, id: string, type: string) =>
  until(() => a.registry(id).some((event) => event.type === type), `the registry has ${type}`)

async function proves(t: Test, { a, ids, look }: Fleet, faults: Record<string, (home: Home) => void>): Promise<void> {
  const before = await look()
  for (const [what, fault] of Object.entries(faults)) {
    fault(a.home)
    t.same(await look(), before, what)
    const bytes = readFileSync(a.home.registry)
    a.ls()
    t.ok(readFileSync(a.home.registry).equals(bytes), `${what}: and nothing is appended twice`)
  }
  const [first = ''] = ids
  a.do('cancel', first)
  await known(a, first, 'daemon_exited')
  t.equal(a.show(first).status, 'cancelled', 'and what lives goes on to its end')
  t.equal(a.ls().find(({ sessionId }) => sessionId === first)?.status, 'cancelled', 'in the list too')
}

const rewrite = (path: string, change: (bytes: Buffer) => Buffer) => writeFileSync(path, change(readFileSync(path)))

survives('registry-deleted', {
  under: supervisors,
  proof: async (t, name) => {
    await proves(t, await newFleet(t, name), {
      'the registry': (home) => rmSync(home.registry),
      'the registry and all that is cached': (home) => {
        rmSync(home.registry)
        rmSync(home.cache, { recursive: true })
      },
    })
  },
})

survives('registry-damaged', {
  under: supervisors,
  proof: async (t, name) => {
    await proves(t, await newFleet(t, name), {
      'random bytes in its middle': (home) =>
        rewrite(home.registry, (bytes) => bytes.fill('\x93\nq{}\xff7"', 200, bytes.length - 300, 'latin1')),
      NULs: (home) => rewrite(home.registry, (bytes) => Buffer.alloc(bytes.length)),
      'cut in its middle': (home) => rewrite(home.registry, (bytes) => bytes.subarray(0, bytes.length / 2)),
      'a torn end': (home) => rewrite(home.registry, (bytes) => bytes.subarray(0, -7)),
    })
  },
})

survives('registry-restored', {
  under: ['systemd'],
  proof: async (t, name) => {
    const fleet = await newFleet(t, name)
    const { a } = fleet
    const yesterday = readFileSync(a.home.registry)
    const { sessionId } = a.run('-a', 'command', '--', 'true')
    await known(a, sessionId, 'daemon_exited')
    await proves(t, fleet, {
      'in place': (home) => writeFileSync(home.registry, yesterday),
      'by rename': (home) => {
        writeFileSync(`${home.registry}.old`, yesterday, { mode: 0o600 })
        renameSync(`${home.registry}.old`, home.registry)
      },
    })
  },
})

survives('checkpoint-damaged', {
  under: ['systemd'],
  proof: async (t, name) => {
    const fleet = await newFleet(t, name)
    const { home } = fleet.a
    // Large enough for a checkpoint; of events that are not known, and change nothing.
    rewrite(home.registry, (bytes) => Buffer.concat([bytes, Buffer.from(`{"type":"later"}\n`.repeat(20_000))]))
    await fleet.look()
    t.ok(existsSync(home.checkpoint), 'there is one to be damaged')
    const each = (change: (bytes: Buffer) => Buffer) => (home: Home) => {
      for (const name of readdirSync(home.cache)) rewrite(join(home.cache, name), change)
    }
    await proves(t, fleet, {
      emptied: each(() => Buffer.alloc(0)),
      'cut in the middle': each((bytes) => bytes.subarray(0, bytes.length / 2)),
      NULs: each((bytes) => Buffer.alloc(bytes.length)),
      'JSON of another kind': each(() => Buffer.from('null\n[]\n')),
      'the right head and other rows': (home) =>
        rewrite(home.checkpoint, (bytes) => Buffer.from(`${bytes}`.replaceAll('completed', 'cancelled'))),
      'absent, beside a mark of no place': (home) => {
        rmSync(home.checkpoint)
        writeFileSync(home.mark, '{"version":1}')
      },
    })
  },
})
