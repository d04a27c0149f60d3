/** What all actors of a soak share: the home on a small disk, the server, the units, chance, and the counts that are printed. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { ensureHome, homePaths } from '../../../src/base/paths.js'
import { Agentz, lines } from '../../helpers/agentz.js'
import { tempDir } from '../../helpers/home.js'
import { SmallDisk } from './disk.js'
import type { AgentNote } from './history.js'
import { Server } from './http.js'
import type { Random } from './random.js'
import { Units } from './units.js'

const agentProgram = fileURLToPath(new URL('agent.mjs', import.meta.url))

export class World {
  readonly random: Random
  readonly disk: SmallDisk
  readonly agentz: Agentz
  readonly server: Server
  readonly units = new Units()
  readonly counts = new Map<string, number>()
  /** The working directory of all sessions. */
  readonly work: string
  /** Where agents write down what they were given and what they said. */
  readonly notesOf: string

  constructor(t: Test, random: Random) {
    this.random = random
    const dir = tempDir(t)
    this.work = join(dir, 'work')
    this.notesOf = join(dir, 'notes')
    mkdirSync(this.notesOf)
    mkdirSync(this.work)
    mkdirSync(join(dir, 'bin'))
    const program = join(dir, 'bin', 'claude')
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${agentProgram}' "$@"\n`)
    chmodSync(program, 0o755)
    this.disk = new SmallDisk(t)
    const home = ensureHome(homePaths(join(this.disk.path, 'home')))
    this.agentz = new Agentz(t, home, { HOME: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}` })
    this.server = new Server(this.agentz)
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  counted(what: string): number {
    return this.counts.get(what) ?? 0
  }

  /** What the agents of a session wrote down. */
  notes(id: string): AgentNote[] {
    const file = join(this.notesOf, `${id}.ndjson`)
    return existsSync(file) ? lines(readFileSync(file, 'utf8')).map((line) => JSON.parse(line)) : []
  }
}
