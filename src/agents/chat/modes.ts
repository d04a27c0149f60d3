/** What may be done without asking, by permission mode. */
import type { SessionModeState } from '@agentclientprotocol/sdk'
import type { Action } from './tools/tool.js'

const table = {
  plan: ['Plan', 'Reads and searches only. It has no tools that change anything.'],
  default: ['Ask', 'Asks before it writes a file or runs a command.'],
  acceptEdits: ['Accept edits', 'Writes files in its directory, and asks before it runs a command.'],
  bypassPermissions: ['Ask nothing', 'Does all that it wants to.'],
} as const

export type ChatMode = keyof typeof table

export const isChatMode = (mode: string): mode is ChatMode => Object.hasOwn(table, mode)

export const modeState = (currentModeId: ChatMode): SessionModeState => ({
  currentModeId,
  availableModes: Object.entries(table).map(([id, [name, description]]) => ({ id, name, description })),
})

/** A tool that changes something is not offered where nothing is to be changed. */
export const isOffered = (mode: ChatMode, tool: { readonly changes: boolean }): boolean =>
  mode !== 'plan' || !tool.changes

/** @param grants what a person has allowed for good */
export function mustAsk(mode: ChatMode, action: Action, grants: ReadonlySet<string>): boolean {
  if (mode === 'bypassPermissions') return false
  if (grants.has(grantOf(action))) return false
  if (action.kind === 'run' || action.guarded) return true
  return action.kind === 'write' && mode !== 'acceptEdits'
}

/**
 * What "always" covers: all files of the directory by this tool, but one command or one guarded file only, since of those the next
 * one may be anything.
 */
export function grantOf(action: Action): string {
  if (action.kind === 'run') return `${action.tool} ${action.command}`
  return action.guarded ? `${action.tool} ${action.path}` : action.tool
}
