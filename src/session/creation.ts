/** What the registry is told of a new session: the short form of line 1 of its file. */
import type { Creator, RegistryEvent, SessionEvent } from './events.js'
import type { Spec } from './spec.js'

/** The most that a registry line repeats of a prompt, in characters. */
const PROMPT_SHOWN = 1000

export const creationOf = (spec: Spec, by: SessionEvent['by'], creator: Creator | undefined): RegistryEvent => ({
  type: 'session_created',
  timestamp: spec.createdAt,
  by,
  sessionId: spec.sessionId,
  agentType: spec.agentType,
  prompt: [...spec.prompt].slice(0, PROMPT_SHOWN).join(''),
  title: spec.title,
  workingDir: spec.workingDir,
  ...(spec.model === undefined ? {} : { model: spec.model }),
  ...(spec.labels === undefined ? {} : { labels: spec.labels }),
  ...(spec.parent === undefined ? {} : { parent: spec.parent }),
  ...(creator === undefined ? {} : { creator }),
})
