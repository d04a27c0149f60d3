/** Which sessions the manager carries, asked again and again while the soak runs. */
import { spawn } from 'node:child_process'
import { outcomeOf, pause } from './process.js'

export class Units {
  #carried = new Set<string>()
  #isWatching = true
  #looks = 0

  async watch(): Promise<void> {
    while (this.#isWatching) {
      const { out } = await outcomeOf(
        spawn('systemctl', ['--user', 'list-units', '--all', '--no-legend', '--plain', 'agentz-session-*']),
      )
      this.#carried = new Set([...out.matchAll(/^agentz-session-([0-9a-f]{12})\.service/gm)].map(([, id = '']) => id))
      this.#looks++
      await pause(150)
    }
  }

  end(): void {
    this.#isWatching = false
  }

  carries(id: string): boolean {
    return this.#carried.has(id)
  }

  /** Resolves when the manager was asked after this call. */
  async fresh(): Promise<void> {
    const wanted = this.#looks + 2
    while (this.#looks < wanted) await pause(20)
  }
}
