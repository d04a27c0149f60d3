/** The invariants of the soak: what was acknowledged is there exactly once, nothing is there that was not written, status is the truth. Pure. */
import { splitLines } from '../../../src/log/read.js'
import type { AgentNote, SessionHistory, Shown } from './history.js'

export interface Evidence {
  readonly history: SessionHistory
  /** The bytes of the session's file. */
  readonly file: Buffer
  /** What its agents wrote down, over all of its processes. */
  readonly notes: readonly AgentNote[]
  readonly shown: readonly Shown[]
  /** What it has left behind. */
  readonly leftovers?: readonly string[]
  /** Its status, as each way to ask for it tells it. */
  readonly statuses: Readonly<Record<string, string>>
}

type Loose = Record<string, unknown>

interface Read {
  readonly lines: { offset: number; line: string }[]
  readonly records: Loose[]
  readonly damaged: number[]
}

/** @returns each broken promise as a sentence */
export function broken(evidence: Evidence): string[] {
  const read = readFile(evidence.file)
  const checks = [messages, answers, output, damage, readers, exits, ending, rests]
  return checks.flatMap((check) => check(evidence, read)).map((why) => `${evidence.history.sessionId}: ${why}`)
}

function readFile(file: Buffer): Read {
  const lines: Read['lines'] = []
  const damaged: number[] = []
  splitLines(
    file,
    0,
    (start, end, offset) => lines.push({ offset, line: file.toString('utf8', start, end) }),
    ({ at }) => damaged.push(at),
  )
  const records: Loose[] = []
  for (const { line, offset } of lines) {
    try {
      records.push(JSON.parse(line))
    } catch {
      // Torn in the middle of a line and sealed by chance into braces: damaged all the same.
      damaged.push(offset - Buffer.byteLength(line) - 1)
    }
  }
  return { lines, records, damaged }
}

const count = <T>(items: Iterable<T>): Map<T, number> => {
  const counts = new Map<T, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

const ids = (records: Loose[], type: string, field: string): string[] =>
  records.filter((record) => record.type === type).map((record) => String(record[field]))

function messages({ history }: Evidence, { records }: Read): string[] {
  const order = ids(records, 'user_message', 'messageId')
  const counts = count(order)
  const faults = history.messages.flatMap(({ messageId }) => {
    const times = counts.get(messageId) ?? 0
    return times === 1 ? [] : [`message ${messageId} was acknowledged and stands there ${times} times`]
  })
  for (const writer of new Set(history.messages.map((each) => each.writer))) {
    const own = history.messages.filter((each) => each.writer === writer).map((each) => each.messageId)
    const places = own.map((messageId) => order.indexOf(messageId))
    if (places.some((place, at) => at > 0 && place < places[at - 1]!)) faults.push(`the order of ${writer} is not kept`)
  }
  return faults
}

function answers({ history }: Evidence, { records }: Read): string[] {
  const counts = count([
    ...ids(records, 'approval_response', 'requestId'),
    ...ids(records, 'input_response', 'requestId'),
  ])
  return history.answers.flatMap((requestId) =>
    counts.get(requestId) === 1 ? [] : [`the answer to ${requestId} stands there ${counts.get(requestId) ?? 0} times`],
  )
}

/** What the log calls words of the agent are words of the agent, each once; and what it was given, it was given once. */
function output({ notes, history }: Evidence, { records }: Read): string[] {
  const said = count(notes.flatMap((each) => (each.said === undefined ? [] : [each.said])))
  const told = count(
    records
      .filter(({ type, partial }) => type === 'text' && partial === undefined)
      .map(({ content }) => String(content)),
  )
  const invented = [...told].flatMap(([text, times]) =>
    times > (said.get(text) ?? 0) ? [`"${text}" is told ${times} times and was said ${said.get(text) ?? 0} times`] : [],
  )
  const given = [...count(notes.flatMap((each) => (each.got === undefined ? [] : [each.got])))]
  const twice = given.flatMap(([uuid, times]) => (times > 1 ? [`the agent was given ${uuid} ${times} times`] : []))
  const runs = new Set(notes.map(({ pid }) => pid)).size
  return [...invented, ...twice, ...(history.isProgram && runs > 1 ? [`its program was run ${runs} times`] : [])]
}

function damage({ history }: Evidence, { damaged }: Read): string[] {
  const crashes = history.kills.length + history.diskFull
  return damaged.length > crashes ? [`${damaged.length} damaged lines after ${crashes} crashes`] : []
}

/** A reader was shown the lines of the file from its beginning, each once and in order, and told of each damaged one. */
function readers({ shown }: Evidence, { lines, damaged }: Read): string[] {
  return shown.flatMap((each) => {
    const wrong = each.lines.findIndex((line, at) => line.offset !== lines[at]?.offset || line.line !== lines[at]?.line)
    if (wrong >= 0) return [`${each.reader} was shown another line ${wrong}: ${each.lines[wrong]?.line.slice(0, 200)}`]
    if (each.lines.length < lines.length) return [`${each.reader} missed ${lines.length - each.lines.length} lines`]
    const untold = damaged.filter((at) => !each.damaged.includes(at))
    return untold.length > 0 ? [`${each.reader} was not told of the damage at ${untold}`] : []
  })
}

/** Each start of a daemon has one end on disk, with its cause. */
function exits(_: Evidence, { records }: Read): string[] {
  const ends = records.filter(({ type }) => type === 'daemon_exited')
  const byEpoch = count(ends.map(({ epoch }) => epoch as number))
  const starts = records.filter(({ type }) => type === 'daemon_started').map(({ epoch }) => epoch as number)
  return [
    ...starts
      .filter((epoch) => byEpoch.get(epoch) !== 1)
      .map((epoch) => `start ${epoch} has ${byEpoch.get(epoch) ?? 0} ends`),
    ...ends
      .filter(({ result }) => typeof result !== 'string' || result === 'unknown')
      .map(({ epoch }) => `end ${epoch} has no cause`),
  ]
}

const terminal = new Set(['completed', 'failed', 'cancelled', 'interrupted'])

/** All ways to ask agree, and they say what has become of it. */
function ending({ history, notes, statuses }: Evidence, { records }: Read): string[] {
  const told = [...new Set(Object.values(statuses))]
  const [status = 'none'] = told
  if (told.length !== 1) return [`its status is ${JSON.stringify(statuses)}`]
  if (!terminal.has(status)) return [`its status is ${status} at the end`]
  const words = records.filter(
    ({ type }) => type === 'daemon_exited' || terminal.has(String(type).replace('session_', '')),
  )
  const last = words.filter(({ type, result }) => type !== 'daemon_exited' || result !== 'success').at(-1)
  const isSaid = last?.type === `session_${status}` || (status === 'interrupted' && isCutOff(history, records))
  const faults = isSaid ? [] : [`it is ${status}, and the last word in its file is ${last?.type}`]
  const accepted = new Set(ids(records, 'message_accepted', 'messageId'))
  const open = history.messages.filter(({ messageId }) => !accepted.has(messageId))
  if (!allowed(history, last).includes(status)) faults.push(`it is ${status} (${JSON.stringify(last?.cause)})`)
  // Stopped before the next message could start it again, one that was kept for that stays unread.
  if (status === 'completed' && open.length > 0 && history.fate !== 'stopped')
    faults.push(`it is completed and has not answered ${open.map((each) => each.messageId)}`)
  if (status === 'completed' && notes.length === 0) faults.push('it is completed and its agent was given nothing')
  return faults
}

/** A unit that was stopped while its killed daemon was about to be started again has failed, in the manager's eyes. */
function allowed({ fate, kills, isProgram }: SessionHistory, last: Loose | undefined): string[] {
  const { result } = (last?.cause ?? {}) as Loose
  if (fate === 'cancelled') return ['cancelled']
  const killed = isProgram ? kills.map(({ what }) => (what === 'agent' ? 'failed' : 'interrupted')) : []
  if (fate !== 'stopped') return ['completed', ...killed]
  return ['interrupted', 'completed', ...killed, ...(kills.length > 0 && result === 'signal' ? ['failed'] : [])]
}

/**
 * Its unit was told to stop between two starts of its killed daemon: then systemd runs nothing more, and the exit, which readers tell
 * as an interruption, is the last word.
 */
const isCutOff = ({ fate, kills }: SessionHistory, records: Loose[]): boolean => {
  const last = records.findLast(({ type }) => /^(daemon|session)_/.test(String(type)))
  return fate === 'stopped' && kills.length > 0 && last?.type === 'daemon_exited' && last.result === 'signal'
}

/** What a reaper puts away stays where none has run. */
const rests = ({ leftovers = [], history }: Evidence, { records }: Read): string[] =>
  leftovers
    .filter((what) => !(isCutOff(history, records) && what.startsWith('the file ')))
    .map((what) => `it has left ${what}`)

/** Milliseconds from each kill of a daemon until its end stood on disk, and from the last end until the last word on the session. */
export function delays({ history, file }: Pick<Evidence, 'history' | 'file'>): { exit: number[]; ending: number[] } {
  const { records } = readFile(file)
  const at = ({ timestamp }: Loose) => Date.parse(String(timestamp))
  const ends = records.filter(({ type }) => type === 'daemon_exited')
  const exit = history.kills
    .filter(({ what }) => what !== 'agent')
    .flatMap((kill) =>
      ends
        .filter((each) => at(each) >= kill.at)
        .slice(0, 1)
        .map((each) => at(each) - kill.at),
    )
  const last = records.at(-1)
  const lastEnd = ends.at(-1)
  const isAfter = lastEnd !== undefined && last !== undefined && terminal.has(String(last.type).replace('session_', ''))
  return { exit, ending: isAfter ? [Math.max(0, at(last) - at(lastEnd))] : [] }
}
