/** Whether the agent's own history of a session holds a message. */

import type { Message } from '../agent.js'
import { object } from '../json.js'
import type { Begun } from './handshake.js'
import type { Profile } from './profile.js'

/** Our own agent keeps the ids of messages, and says them when it comes back. */
const MESSAGES = 'agentz/messages'

/**
 * Others have the text only. It proves something where it stands once, as the last thing that a person said: the same words may have
 * been said before. @returns undefined if it cannot be told
 */
export function historyHolds(
  profile: Profile,
  { answer, replayed }: Begun,
  said: readonly { readonly text: string }[],
  { messageId, content }: Message,
): boolean | undefined {
  const ids = object(answer._meta)[MESSAGES]
  if (profile.own === true) return Array.isArray(ids) ? ids.includes(messageId) : undefined
  if (!replayed) return undefined
  const same = said.filter(({ text }) => text.trim() === content.trim())
  if (same.length === 0) return profile.recordsFirst === true ? false : undefined
  return same.length === 1 && said.at(-1) === same[0] ? true : undefined
}
