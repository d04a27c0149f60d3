/** How freely an agent may act. One vocabulary for all agents; each knows some of these words, and says them in its own. */

/** From narrow to wide. */
export const modes = ['plan', 'dontAsk', 'default', 'acceptEdits', 'bypassPermissions'] as const
export type Mode = (typeof modes)[number]

/** Asks before each action that is not known to be harmless. */
export const DEFAULT_MODE: Mode = 'default'

/** Whether `actual` allows more than `asked`. A mode that is not known here may allow anything. */
export function isWider(actual: string, asked: string): boolean {
  if (actual === asked) return false
  const at = (modes as readonly string[]).indexOf(actual)
  return at < 0 || at > (modes as readonly string[]).indexOf(asked)
}
