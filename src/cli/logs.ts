import { closeSync, createReadStream, fstatSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { parseRecord } from '../log/line.js'
import { type Damage, openLog, readLog, readRecords } from '../log/read.js'
import { tail } from '../log/tail.js'
import { applySession } from '../session/apply.js'
import { findSession } from '../session/find.js'
import { beginning, type SessionState } from '../session/state.js'
import { attach, whose } from './attach.js'
import { type Context, context, type Verb } from './context.js'
import { follow } from './follow.js'
import { damageNote, render } from './render.js'
import { harmlessJson, print } from './terminal.js'

interface Args {
  id: string
  follow?: boolean
  lines?: string
  raw?: boolean
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'logs <id>',
  describe: 'Print what happened in a session',
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'An id, a unique prefix, a title, or latest' })
      .option('follow', { alias: 'f', type: 'boolean', describe: 'Go on until the session ends' })
      .option('lines', { alias: 'n', type: 'string', describe: 'Only the last N events' })
      .option('raw', { type: 'boolean', describe: 'The bytes of the file' }) as never,
  handle: async (args) => {
    const ctx = context()
    const id = findSession(ctx.home, args.id)
    const path = sessionLog(ctx.home, id)
    const last = lines(args.lines)
    if (args.how) {
      await print(
        `${shellWords(['tail', '-n', last === undefined ? '+1' : String(last), ...(args.follow ? ['-f'] : []), path])}\n`,
      )
      return 0
    }
    const from = last === undefined ? 0 : startOfLast(path, last)
    if (args.raw || args.json) return raw(ctx, id, from, args)
    if (args.follow) return attach(ctx, id, from)
    await rendered(ctx, id, last)
    return 0
  },
}

function lines(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new AgentzError('BAD_INPUT', `-n: ${JSON.stringify(text)} is not a whole number`)
  return Number(text)
}

/** The offset at which the last `count` records begin. */
function startOfLast(path: string, count: number): number {
  const starts: number[] = []
  let end = 0
  end = readLog(path, {}, ({ bytes, offset }) => {
    starts.push(offset - bytes.length - 1)
    if (starts.length > count) starts.shift()
  })
  return count === 0 ? end : (starts[0] ?? end)
}

/** Of the events that a person sees, all or the last so many. */
async function rendered(ctx: Context, id: string, last = Number.POSITIVE_INFINITY): Promise<void> {
  let state: SessionState | undefined
  const texts: string[] = []
  const add = (text: string | undefined) => {
    if (text === undefined) return
    texts.push(text)
    if (texts.length > last) texts.shift()
  }
  readLog(sessionLog(ctx.home, id), { onDamage: (damage) => add(damageNote(damage)) }, ({ bytes }) => {
    const record = parseRecord(bytes)
    if (record === undefined) return
    if (state === undefined) {
      const begun = beginning(record, id)
      if (typeof begun !== 'string') state = begun
    } else applySession(state, record)
    add(render(record, state && whose(ctx, state)))
  })
  await print(texts.join(''))
}

/** --raw: the bytes of the file. --json: its records, one a line. */
async function raw(ctx: Context, id: string, from: number, args: Args): Promise<number> {
  const path = sessionLog(ctx.home, id)
  if (!args.follow) {
    if (args.json) await records(path, from)
    else await bytesFrom(path, from)
    return 0
  }
  const stop = new AbortController()
  const ended = follow(ctx.home, ctx.supervisor, id, { signal: stop.signal })
  process.once('SIGINT', () => stop.abort())
  let printed = from
  const copy = (async () => {
    for await (const item of tail(path, { from, signal: stop.signal })) {
      if (item.kind !== 'bytes') continue
      await print(args.json ? forEyes(Buffer.from(item.bytes)) : Buffer.from(item.bytes))
      printed = item.base + item.bytes.length
    }
  })()
  const state = await ended
  stop.abort()
  await copy
  if (state !== undefined) await bytesFrom(path, printed)
  return 0
}

async function records(path: string, from: number): Promise<void> {
  const fd = openLog(path)
  try {
    const batch: Buffer[] = []
    const onDamage = (damage: Damage) => void process.stderr.write(damageNote(damage))
    const options = { from, to: fstatSync(fd).size, onDamage }
    readRecords(fd, options, ({ bytes }) => batch.push(Buffer.from(bytes), Buffer.from('\n')))
    process.stdout.write(forEyes(Buffer.concat(batch)))
  } finally {
    closeSync(fd)
  }
}

/** A program gets the bytes of the file; on a terminal nothing acts. */
const forEyes = (json: Buffer): Buffer | string => (process.stdout.isTTY ? harmlessJson(json.toString()) : json)

/** Follows no link, as every reader. */
const bytesFrom = (path: string, start: number): Promise<void> =>
  pipeline(createReadStream(path, { fd: openLog(path), start }), process.stdout, { end: false })
