/** Fills the meters: from files and units at each look, and from what the server tells of its own work between two of them. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Answered, answered, type Delivered, delivered } from '../../base/channels.js'
import { version } from '../../base/programs.js'
import { isLive, needsAnswer, statuses } from '../../session/status.js'
import { supervisorOf } from '../../supervisor/choose.js'
import { type Fleet, readFleet } from '../../supervisor/fleet.js'
import type { Supervisor } from '../../supervisor/supervisor.js'
import type { Context } from '../context.js'
import { Growth } from './growth.js'
import { Meters } from './meters.js'
import { Waiting } from './waiting.js'

export class Metrics {
  readonly #context: Context
  readonly #meters = new Meters()
  readonly #growth: Growth
  readonly #waiting: Waiting
  /** The look that is under way, for all who ask meanwhile. */
  #look: Promise<string> | undefined

  constructor(context: Context) {
    this.#context = context
    this.#growth = new Growth(context.home)
    this.#waiting = new Waiting(context.home)
    this.#meters.build.set({ version: version() }, 1)
    this.#meters.processStart.set(Date.now() / 1000 - process.uptime())
    subscribe(answered.name, this.#onAnswered)
    subscribe(delivered.name, this.#onDelivered)
  }

  get contentType(): string {
    return this.#meters.registry.contentType
  }

  close(): void {
    unsubscribe(answered.name, this.#onAnswered)
    unsubscribe(delivered.name, this.#onDelivered)
  }

  /** @throws as readFleet */
  text(): Promise<string> {
    this.#look ??= this.#read().finally(() => {
      this.#look = undefined
    })
    return this.#look
  }

  readonly #onAnswered = (message: unknown): void => {
    const { method, route, status, seconds } = message as Answered
    this.#meters.requests.inc({ method, route, status })
    if (method !== 'GET' && method !== 'HEAD' && status < 300) this.#meters.append.observe({ route }, seconds)
  }

  readonly #onDelivered = (message: unknown): void => {
    const { bytes, followers, seconds } = message as Delivered
    this.#meters.delivered.inc(bytes * followers)
    this.#meters.delivery.observe(seconds)
  }

  async #read(): Promise<string> {
    const begin = performance.now()
    const { home, supervisor, feeds, streams } = this.#context
    const meters = this.#meters
    const fleet = await readFleet(home, supervisor)
    const live = fleet.ids.filter((id) => isLive(fleet.status(id)))
    await this.#growth.look(live)
    const asked = await this.#waiting.look(live.filter((id) => needsAnswer(fleet.status(id))))
    this.#tellSessions(fleet, live)
    for (const [kind, { count, oldest }] of Object.entries(asked)) {
      meters.waiting.set({ kind }, count)
      meters.oldest.set({ kind }, oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest) / 1000))
    }
    this.#tellGrowth()
    await this.#tellConsumption(fleet, live)
    meters.streams.set(streams.size)
    meters.followed.set(feeds.size)
    const { user, system } = process.cpuUsage()
    renew(meters.processCpu, [[{}, (user + system) / 1e6]])
    meters.processMemory.set(process.memoryUsage.rss())
    meters.scrape.set((performance.now() - begin) / 1000)
    return meters.registry.metrics()
  }

  #tellSessions(fleet: Fleet, live: readonly string[]): void {
    const meters = this.#meters
    const counts = new Map<string, number>(statuses.map((status) => [status, 0]))
    for (const id of fleet.ids) counts.set(fleet.status(id), (counts.get(fleet.status(id)) ?? 0) + 1)
    for (const [status, count] of counts) meters.sessions.set({ status }, count)
    const rows = live.map((id) => fleet.row(id))
    const flags = {
      queued: rows.filter(({ queuedAt }) => queuedAt !== undefined),
      frozen: rows.filter(({ frozen }) => frozen),
      stalled: rows.filter(({ stalled }) => stalled !== undefined),
    }
    for (const [flag, flagged] of Object.entries(flags)) meters.flagged.set({ flag }, flagged.length)
    meters.unasked.set(fleet.unasked === undefined ? 0 : 1)
    meters.damaged.set(fleet.registry.damaged)
    // Nearly all have none, and are not parsed to know it.
    const restarted = fleet.ids.filter((id) => !fleet.text(id).includes('"restarts":0,'))
    const restarts = restarted.reduce((sum, id) => sum + fleet.row(id).restarts, 0)
    renew(meters.restarts, [[{}, restarts]])
    renew(
      meters.sessionRestarts,
      rows.map((row) => [{ session: row.sessionId }, row.restarts]),
    )
  }

  #tellGrowth(): void {
    const { lifecycle, events, bytes, sizes } = this.#growth
    renew(
      this.#meters.lifecycle,
      [...lifecycle.values()].map(({ type, cause, count }) => [{ type, cause }, count]),
    )
    renew(this.#meters.events, [[{}, events]])
    renew(this.#meters.bytes, [[{}, bytes]])
    this.#meters.logSize.reset()
    for (const [session, size] of sizes) this.#meters.logSize.set({ session }, size)
  }

  async #tellConsumption(fleet: Fleet, live: readonly string[]): Promise<void> {
    const { cpu, memory } = this.#meters
    cpu.reset()
    memory.reset()
    if (fleet.unasked !== undefined) return
    const { home, supervisor } = this.#context
    const carried = new Map<string, { by: Supervisor; ids: string[] }>()
    for (const id of live) {
      const by = supervisorOf(home, supervisor, fleet.row(id))
      const group = carried.get(by.name) ?? { by, ids: [] }
      group.ids.push(id)
      carried.set(by.name, group)
    }
    for (const { by, ids } of carried.values()) {
      for (const [session, { cpuSeconds, memoryBytes }] of (await by.consumption?.(ids)) ?? []) {
        if (cpuSeconds !== undefined) cpu.inc({ session }, cpuSeconds)
        if (memoryBytes !== undefined) memory.set({ session }, memoryBytes)
      }
    }
  }
}

interface Counted<T extends string> {
  reset(): void
  inc(labels: Partial<Record<T, string | number>>, by?: number): void
}

/** A counter whose numbers are counted elsewhere. */
function renew<T extends string>(
  counter: Counted<T>,
  values: readonly (readonly [Partial<Record<T, string | number>>, number])[],
): void {
  counter.reset()
  for (const [labels, value] of values) counter.inc(labels, value)
}
