/** A daemon's side of an agent for tests: keeps the events, and lets a test wait for one. */
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import type { AgentContext } from '../../src/agents/agent.js'
import type { AgentEvent } from '../../src/session/events.js'
import type { Spec } from '../../src/session/spec.js'

export type Of<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>

export interface Recorder {
  readonly context: AgentContext
  readonly events: AgentEvent[]
  readonly warnings: string[]
  all<T extends AgentEvent['type']>(type: T): Of<T>[]
  /** Resolves with the first event of the type that passes, once it is there. */
  until<T extends AgentEvent['type']>(type: T, test?: (event: Of<T>) => boolean): Promise<Of<T>>
}

/** Stands for no session in particular. */
const ANY = '0123456789ab'
/** An agent that ends kills all that carry the mark of its session: tests at the same time must not be one session. */
export const ownSession = randomBytes(6).toString('hex')

export const newSpec = (fields: Partial<Spec> = {}): Spec => ({
  sessionId: ANY,
  agentType: 'command',
  prompt: '',
  title: 'test',
  workingDir: tmpdir(),
  restart: 'resume',
  umask: '0022',
  createdAt: '2026-01-01T00:00:00.000Z',
  ...fields,
})

export function record(spec: Spec, env: Record<string, string>, more: Partial<AgentContext> = {}): Recorder {
  const events: AgentEvent[] = []
  const warnings: string[] = []
  const waiting = new Set<() => void>()
  const all = <T extends AgentEvent['type']>(type: T) => events.filter((event): event is Of<T> => event.type === type)
  return {
    events,
    warnings,
    all,
    until: (type, test = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = all(type).find(test)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    context: {
      spec: spec.sessionId === ANY ? { ...spec, sessionId: ownSession } : spec,
      env,
      start: 1,
      turns: 0,
      open: new Set(),
      emit(batch) {
        events.push(...batch)
        for (const look of [...waiting]) look()
      },
      full: () => undefined,
      warn: (message) => warnings.push(message),
      ...more,
    },
  }
}

/** A promise to be settled from outside. */
export function deferred(): { promise: Promise<void>; resolve(): void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
