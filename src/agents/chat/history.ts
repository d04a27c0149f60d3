/**
 * The conversation, on the disk before anything is done about it: a line a record, appended and synced. From it the conversation goes on
 * after any crash, with the question that was open, and without running a tool twice.
 */
import { existsSync } from 'node:fs'
import { Appender, createLog } from '../../log/append.js'
import { parseRecord } from '../../log/line.js'
import { readLog } from '../../log/read.js'
import { isObject } from '../json.js'
import type { Call, Record } from './records.js'
import type { Action } from './tools/tool.js'

/** A call that has no result yet. */
export interface OpenCall extends Call {
  /** A person has been asked. */
  readonly asked: boolean
  /** About what: a path may lead elsewhere by the time at which the answer comes. */
  readonly action?: Action
  /** It was begun. What has become of it nobody knows, unless this process has begun it. */
  readonly started: boolean
}

/** A file may hold several conversations, one after the other; only the last is written to. */
export class History {
  readonly sessionId: string
  /** Those that make up the conversation: messages, answers, results. */
  readonly records: Record[] = []
  readonly messageIds: string[] = []
  readonly grants = new Set<string>()
  readonly #open = new Map<string, OpenCall>()
  #isFrozen = false
  readonly #log: Appender

  private constructor(sessionId: string, log: Appender) {
    this.sessionId = sessionId
    this.#log = log
  }

  /** Begins a conversation. @throws LOG_WRITE */
  static begin(path: string, sessionId: string): History {
    const line = JSON.stringify({ type: 'session', sessionId })
    // A new file is on the disk with its name, too.
    const isNew = !existsSync(path)
    if (isNew) createLog(path, line)
    const history = new History(sessionId, new Appender(path))
    if (!isNew) history.#write(line)
    return history
  }

  /** Goes on with a conversation. @returns undefined if the file does not hold it @throws LOG_WRITE */
  static find(path: string, sessionId: string): History | undefined {
    if (!existsSync(path)) return undefined
    let isThis = false
    const records: Record[] = []
    readLog(path, {}, ({ bytes }) => {
      const record = parseRecord(bytes)
      if (!isObject(record)) return
      if (record.type === 'session') {
        isThis = record.sessionId === sessionId
        records.length = 0
      } else if (isThis) records.push(record as unknown as Record)
    })
    if (!isThis) return undefined
    const history = new History(sessionId, new Appender(path))
    for (const record of records) history.#take(record)
    return history
  }

  /** The calls that wait for a result, in order. */
  get open(): readonly OpenCall[] {
    return [...this.#open.values()]
  }

  /** @returns when it is on the disk @throws LOG_WRITE, LOG_TOO_LONG: then it is not a part of the conversation */
  add(record: Record): void {
    if (this.#isFrozen) return
    this.#write(JSON.stringify(record))
    this.#take(record)
  }

  /** Nothing more is added: another process may go on from here. */
  freeze(): void {
    this.#isFrozen = true
  }

  close(): void {
    this.#log.close()
  }

  #write(line: string): void {
    const { error } = this.#log.append([line])
    if (error !== undefined) throw error
    this.#log.syncNow()
  }

  #take(record: Record): void {
    switch (record.type) {
      case 'message':
        if (record.messageId !== undefined) this.messageIds.push(record.messageId)
        if (record.text === undefined) return
        break
      case 'answer':
        for (const call of record.calls) this.#open.set(call.id, { ...call, asked: false, started: false })
        break
      case 'asked':
        this.#mark(record.id, { asked: true, ...(record.action && { action: record.action }) })
        return
      case 'started':
        this.#mark(record.id, { started: true })
        return
      case 'always':
        this.grants.add(record.grant)
        return
      case 'result':
        this.#open.delete(record.id)
        break
      default:
        // A later version's; it is not for this one to judge.
        return
    }
    this.records.push(record)
  }

  #mark(id: string, how: Partial<OpenCall>): void {
    const call = this.#open.get(id)
    if (call !== undefined) this.#open.set(id, { ...call, ...how })
  }
}
