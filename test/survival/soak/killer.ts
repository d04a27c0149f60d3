/** What is killed, when, and how often: daemons and agents in the middle of a turn, whole units, servers with readers; disks that fill up. */
import { readdirSync, readFileSync } from 'node:fs'
import { killNamed, pause } from './process.js'
import type { Story } from './story.js'
import type { World } from './world.js'

/** A unit gives up after five starts in five minutes, which is another row of the survival table. */
const MOST_KILLS = 3
/** A daemon gives up on an agent that dies again and again. */
const MOST_AGENT_KILLS = 2

export class Killer {
  readonly #world: World
  readonly #stories: () => Story[]

  constructor(world: World, stories: () => Story[]) {
    this.#world = world
    this.#stories = stories
  }

  async run(isOver: () => boolean, rest: number): Promise<void> {
    const { random } = this.#world
    while (!isOver()) {
      const kind = random.weighed([
        ['daemon', 50],
        ['agent', 12],
        ['unit', 8],
        ['server', 16],
        ['disk', 2],
      ] as const)
      if (kind === 'server') this.#server()
      else if (kind === 'disk') await this.#disk()
      else this.#session(kind)
      await pause(random.between(rest / 2, rest * 1.5))
    }
  }

  #server(): void {
    if (!this.#world.server.kill()) return
    this.#world.count('servers killed')
  }

  async #disk(): Promise<void> {
    const { disk, random } = this.#world
    if (!disk.canFill) return
    disk.fill()
    for (const { history } of this.#stories()) history.diskFull++
    this.#world.count('disks filled')
    await pause(random.between(100, 800))
    disk.free()
  }

  #session(kind: 'daemon' | 'agent' | 'unit'): void {
    const { random } = this.#world
    const able = this.#stories().filter(({ history }) => {
      const kills = history.kills.filter(({ what }) => what !== 'agent').length
      const agents = history.kills.length - kills
      return history.fate !== 'stopped' && (kind === 'agent' ? agents < MOST_AGENT_KILLS : kills < MOST_KILLS)
    })
    const working = able.filter((story) => story.isAtWork)
    if (working.length === 0) return
    const story = random.of(working)
    const { pid } = story.state()
    if (pid === undefined) return
    const midTurn = story.state().inTurn
    const name = story.history.isProgram ? 'program.sh' : 'agent.mjs'
    const agents = childrenOf(pid)
    const killed = kind === 'agent' ? agents.some((agent) => killNamed(agent, name)) : killNamed(pid, story.id)
    if (!killed) return
    // Of its children one may be no agent, but what speaks with the manager.
    if (kind === 'unit') for (const agent of agents) killNamed(agent, name)
    story.history.kills.push({ what: kind, at: Date.now(), midTurn })
    this.#world.count(`${kind}s killed`)
    if (story.history.isProgram) this.#world.count(`${kind}s of programs killed`)
    if (midTurn) this.#world.count(`${kind}s killed in mid-turn`)
  }
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    // It is gone already.
    return []
  }
}
