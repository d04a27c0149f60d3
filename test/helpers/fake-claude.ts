/** Sessions with a program in the place of claude, which asks, answers and waits as it is told (fake-claude.mjs). */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { Agentz } from './agentz.js'
import { newHome, tempDir } from './home.js'

const program = fileURLToPath(new URL('fake-claude.mjs', import.meta.url))

export interface Waiting {
  readonly requestId: string
  readonly [field: string]: unknown
}

export class Talk extends Agentz {
  /** Where files are made that hold its turns. */
  readonly dir: string

  constructor(t: Test, home = newHome(t)) {
    const dir = tempDir(t)
    mkdirSync(join(dir, 'bin'))
    mkdirSync(join(dir, 'work'))
    const path = join(dir, 'bin', 'claude')
    writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${program}'\n`)
    chmodSync(path, 0o755)
    super(t, home, { HOME: dir, PATH: `${join(dir, 'bin')}:${process.env.PATH}` })
    this.dir = join(dir, 'work')
  }

  /** Starts a session. @returns its id */
  begin(...args: string[]): string {
    return this.run('-C', this.dir, ...args).sessionId
  }

  /** Starts a session whose turn runs until `release` is called. */
  async busy(...flags: string[]): Promise<{ id: string; release: () => void }> {
    const file = join(this.dir, 'release')
    const id = this.begin(...flags, `hold ${file}`)
    // Not turn_started: a daemon that is killed between the two cannot tell whether the agent has the message.
    await this.untilType(id, 'message_accepted')
    return { id, release: () => writeFileSync(file, '') }
  }

  /** Starts a session that asks for each of the words at once. @returns its id and the requests, in order */
  async asking(...words: string[]): Promise<{ id: string; requests: string[] }> {
    const id = this.begin(`ask ${words.join(' ')}`)
    const events = await this.until(
      id,
      (all) => all.filter(({ type }) => type === 'approval_request').length === words.length,
      'it asks',
    )
    return {
      id,
      requests: events.flatMap(({ requestId, type }) => (type === 'approval_request' ? [String(requestId)] : [])),
    }
  }

  /** Starts a session and waits for its end. @returns its id */
  async over(...args: string[]): Promise<string> {
    const id = this.begin(...args)
    await this.untilType(id, 'daemon_exited')
    return id
  }

  /** What it said, in order. */
  said(id: string): string[] {
    return this.events(id).flatMap(({ type, content }) =>
      type === 'text' && typeof content === 'string' ? [content] : [],
    )
  }
}
