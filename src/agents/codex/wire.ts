/**
 * How codex is set up: what it is told at its start, and the permission modes in its words. Measured with 0.169.0, whose
 * app-server calls itself experimental; `codex app-server generate-ts` prints the types of the installed version.
 */
import { version } from '../../base/programs.js'
import { DEFAULT_MODE } from '../../session/mode.js'
import type { Spec } from '../../session/spec.js'
import { short } from '../cut.js'
import { type Json, object, string, text } from '../json.js'

/** When it asks, and what its sandbox lets a command do that nobody was asked about. */
const settings: Readonly<Record<string, { approvalPolicy: string; sandbox: string }>> = {
  plan: { approvalPolicy: 'on-request', sandbox: 'read-only' },
  dontAsk: { approvalPolicy: 'never', sandbox: 'read-only' },
  default: { approvalPolicy: 'untrusted', sandbox: 'workspace-write' },
  acceptEdits: { approvalPolicy: 'on-request', sandbox: 'workspace-write' },
  bypassPermissions: { approvalPolicy: 'never', sandbox: 'danger-full-access' },
}

export const codexModes: readonly string[] = Object.keys(settings)

/** News that tells nothing which other news does not; codex is asked to keep it to itself. */
export const unheard: ReadonlySet<string> = new Set([
  'account/rateLimits/updated',
  'account/updated',
  'app/list/updated',
  'fs/changed',
  'hook/started',
  'hook/completed',
  'item/commandExecution/outputDelta',
  'item/commandExecution/terminalInteraction',
  'item/fileChange/outputDelta',
  'item/fileChange/patchUpdated',
  'item/mcpToolCall/progress',
  'item/plan/delta',
  'item/reasoning/summaryPartAdded',
  'model/safetyBuffering/updated',
  'rawResponse/completed',
  'rawResponseItem/completed',
  'remoteControl/status/changed',
  'skills/changed',
  'thread/compacted',
  'thread/goal/cleared',
  'thread/goal/updated',
  'thread/name/updated',
  'thread/queue/changed',
  'thread/readState/changed',
  'thread/started',
  'thread/status/changed',
  'turn/diff/updated',
  'turn/moderationMetadata',
])

export const initializeParams = () => ({
  clientInfo: { name: 'agentz', title: 'agentz', version: version() },
  capabilities: {
    experimentalApi: false,
    requestAttestation: false,
    optOutNotificationMethods: [...unheard],
  },
})

/** What a thread is started with, and resumed with: codex would else take what the thread had, or what its configuration says. */
export function threadParams(spec: Pick<Spec, 'workingDir' | 'model' | 'permissionMode'>): object {
  return {
    cwd: spec.workingDir,
    ...(spec.model === undefined ? {} : { model: spec.model }),
    ...(settings[spec.permissionMode ?? DEFAULT_MODE] ?? settings[DEFAULT_MODE]),
    // Its configuration may name a model as the one who answers.
    approvalsReviewer: 'user',
  }
}

const sandboxes: Readonly<Record<string, string>> = {
  readOnly: 'read-only',
  workspaceWrite: 'workspace-write',
  dangerFullAccess: 'danger-full-access',
}

/** The mode that codex says it runs in; a combination that is none of ours is spelt out, so that nobody takes it for one. */
export function modeOf({ approvalPolicy, sandbox, approvalsReviewer = 'user' }: Json): string {
  const policy = string(approvalPolicy) ?? JSON.stringify(approvalPolicy)
  const type = text(object(sandbox).type)
  const box = Object.hasOwn(sandboxes, type) ? sandboxes[type] : type
  const mode = codexModes.find((name) => settings[name]?.approvalPolicy === policy && settings[name]?.sandbox === box)
  if (mode !== undefined && approvalsReviewer === 'user') return mode
  return short(`approval=${policy} sandbox=${box} reviewer=${text(approvalsReviewer)}`)
}

/** `name/0.169.0 (system)`: the version of the program that runs, not of the one that began the thread. */
export const versionOf = (userAgent: unknown): string | undefined => /^[^/]*\/(\S+)/.exec(text(userAgent))?.[1]

export const userInput = (text: string) => [{ type: 'text', text, text_elements: [] }]
