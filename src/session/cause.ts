/**
 * Why a session ended, or a turn failed: one word, the sentence that it stands for, and what to do about it. docs: README "Causes"; a
 * test holds both together. These are the words that are written; whoever reads a file must take others in their stride.
 */
import * as z from 'zod/mini'
import type { Cause } from './events.js'

interface Meaning {
  readonly says: string
  /** What to do about it. */
  readonly next: string
  /** The same of a program, which takes no messages; where it is not said, there is no difference. */
  readonly program?: string
}

const AGAIN = 'Run it again.'
const GO_ON = { next: '`agentz send` goes on with it.', program: AGAIN }

const table = {
  // systemd's own words, systemd.exec(5): of the daemon, and of a program or agent that ended in the same way.
  success: { says: 'It ended without an error, and before it was done.', next: '`agentz logs` shows how far it came.' },
  'exit-code': {
    says: 'It ended with an exit status that means an error.',
    next: '`agentz logs` shows its last words.',
  },
  signal: { says: 'A signal from outside ended it.', ...GO_ON },
  'core-dump': {
    says: 'It crashed.',
    next: '`coredumpctl` may have more; `agentz send` goes on with it.',
    program: '`coredumpctl` may have more; run it again.',
  },
  'oom-kill': {
    says: 'The session ran out of memory.',
    next: 'Start it with a larger `--memory`, or with less to do at once.',
  },
  watchdog: { says: 'Its daemon gave no sign of life for too long.', ...GO_ON },
  timeout: {
    says: 'It ran longer than it may, or did not start or stop in time.',
    next: 'Start it with a longer `--runtime`.',
  },
  'start-limit-hit': {
    says: 'Its daemon died again and again, and is not started any more.',
    next: '`journalctl --user -u UNIT` says why it died; then `agentz send` goes on.',
    program: '`journalctl --user -u UNIT` says why it died; then run it again.',
  },
  resources: {
    says: 'The system had no room for it.',
    next: 'Look for limits of processes, files and memory; then `agentz send`.',
    program: 'Look for limits of processes, files and memory; then run it again.',
  },
  protocol: {
    says: 'Its daemon ended before it told the manager that it runs.',
    next: '`journalctl --user -u UNIT` says more.',
  },
  'exec-condition': {
    says: 'A condition of its unit kept it from running.',
    next: '`systemctl --user cat UNIT` shows it.',
  },
  // Ours, of how a session came to its end.
  stopped: { says: 'Somebody stopped its unit.', ...GO_ON },
  'log-out': {
    says: 'The user manager ended with the last log-out.',
    next: '`loginctl enable-linger` keeps sessions running; `agentz send` goes on with it.',
    program: '`loginctl enable-linger` keeps sessions running; run it again.',
  },
  reboot: { says: 'The machine was shut down or started again.', ...GO_ON },
  lost: { says: 'Its file says that it lives, and nothing carries it.', ...GO_ON },
  cancelled: { says: 'Somebody cancelled it.', next: '`agentz send` takes it up again.', program: AGAIN },
  budget: {
    says: 'A budget was used up, and the answer was to stop.',
    next: '`agentz send` takes it up again, and it asks again.',
    program: AGAIN,
  },
  'permission-mode': {
    says: 'The agent cannot be had in the permission mode that was asked for.',
    next: '`agentz agents --json` lists the modes of each agent.',
  },
  'not-found': {
    says: 'A program or a directory is not there.',
    next: 'Put it in its place, then `agentz send`, or start anew.',
    program: 'Put it in its place, then run it again.',
  },
  'not-started': {
    says: 'Its unit could not be started.',
    next: '`systemctl --user status` shows how the manager is.',
  },
  // Ours, of what an agent says about itself and its model.
  login: {
    says: 'Nobody is logged in, or the key is wrong.',
    next: 'Log the agent in, or set its key in `~/.agentz/env`; then `agentz send`.',
    program: 'Log it in, or set its key in `~/.agentz/env`; then run it again.',
  },
  quota: {
    says: 'A limit of the account is reached: usage, rate or money.',
    next: 'Wait until it is reset, or raise it; then `agentz send`.',
    program: 'Wait until it is reset, or raise it; then run it again.',
  },
  model: { says: 'The model is unknown, or refused to this account.', next: 'Start it with another one: `-m MODEL`.' },
  overloaded: {
    says: "The model's server is overloaded, or has failed.",
    next: 'Try again later: `agentz send`.',
    program: 'Try again later.',
  },
  unreachable: {
    says: "The model's server cannot be reached, or the connection broke.",
    next: 'Look at the network and the base URL; then `agentz send`.',
    program: 'Look at the network; then run it again.',
  },
  agent: { says: 'The agent failed, in its own words.', next: '`agentz logs` shows what it did before.' },
  unknown: { says: 'Nobody has said why.', next: '`agentz logs` and `journalctl --user -u UNIT` may tell more.' },
} as const satisfies Record<string, Meaning>

export type CauseWord = keyof typeof table
export const causes: Readonly<Record<CauseWord, Meaning>> = table
export const CauseWord = z.enum(Object.keys(table) as [CauseWord, ...CauseWord[]])

/** A cause as it may stand in a file: of a later version, or by hand. */
export interface ReadCause {
  readonly result: string
  readonly code?: string
  readonly status?: string | number
  readonly message?: string
  readonly [further: string]: unknown
}

const isWord = (word: unknown): word is CauseWord => typeof word === 'string' && Object.hasOwn(table, word)

/** Whose cause it is. */
export interface Whose {
  readonly agentType: string
  readonly unit: string
}

/** What to do about it. */
export const nextStep = ({ next, program = next }: Meaning, { agentType, unit }: Whose): string =>
  (agentType === 'command' ? program : next).replaceAll('UNIT', unit)

/** What a word stands for; undefined for one that is not known here. */
export const meaningOf = (word: unknown): Meaning | undefined => (isWord(word) ? table[word] : undefined)

/** A cause that was read, to be written again. A word that is not known here goes into the message. */
export function knownCause(cause: ReadCause): Cause {
  const { result, message, ...rest } = cause
  if (isWord(result)) return { ...cause, result }
  return { ...rest, result: 'unknown', message: message ?? `it is called ${JSON.stringify(result.slice(0, 80))} there` }
}
