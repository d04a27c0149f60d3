/** Tools for one file: read, write, edit. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod/mini'
import { errno } from '../../../base/errors.js'
import type { Place } from './place.js'
import { type Action, defineTool } from './tool.js'

/** Larger files are for programs, or for `search`. */
const MOST_BYTES = 16 * 1024 * 1024
const DEFAULT_LINES = 2000
/** Text files hold no zero byte; of other files the beginning nearly always does. */
const BINARY_LOOK = 8192

const path = z.string().check(z.minLength(1))
const line = z.int().check(z.gte(1))

function action(kind: 'read' | 'write', tool: string, named: string, place: Place): Action & { path: string } {
  const real = place.resolve(named)
  return { kind, tool, path: real, guarded: place.isGuarded(kind, real) }
}

export const readFile = defineTool({
  name: 'read_file',
  kind: 'read',
  changes: false,
  description: 'Reads a text file. Without from and lines it gives the first 2000 lines.',
  input: z.object({ path, from: z.optional(line), lines: z.optional(line) }),
  call({ path, from = 1, lines = DEFAULT_LINES }, place) {
    const does = action('read', 'read_file', path, place)
    return {
      title: `Read ${place.show(does.path)}`,
      action: does,
      run() {
        const all = readText(does.path).split('\n')
        if (all.at(-1) === '') all.pop()
        const part = all.slice(from - 1, from - 1 + lines)
        if (all.length === 0) return { text: '[the file is empty]' }
        if (part.length === 0) return { text: `[the file has ${all.length} lines]`, failed: true }
        const note = `\n[these are lines ${from} to ${from + part.length - 1} of ${all.length}]`
        return { text: part.join('\n') + (part.length === all.length ? '' : note) }
      },
    }
  },
})

export const writeFile = defineTool({
  name: 'write_file',
  kind: 'edit',
  changes: true,
  description: 'Writes a whole file. It replaces what was there, and makes directories that are missing.',
  input: z.object({ path, content: z.string() }),
  call({ path, content }, place) {
    const does = action('write', 'write_file', path, place)
    return {
      title: `Write ${place.show(does.path)}`,
      action: does,
      run() {
        const before = typeOf(does.path)
        mkdirSync(dirname(does.path), { recursive: true })
        writeFileSync(does.path, content)
        const did = before === undefined ? 'Made' : 'Replaced'
        return { text: `${did} ${place.show(does.path)}: ${Buffer.byteLength(content)} bytes` }
      },
    }
  },
})

export const editFile = defineTool({
  name: 'edit_file',
  kind: 'edit',
  changes: true,
  description:
    'Replaces old_text in a file by new_text. old_text must stand there exactly so, and once; with all, each place is replaced.',
  input: z.object({
    path,
    old_text: z.string().check(z.minLength(1)),
    new_text: z.string(),
    all: z.optional(z.boolean()),
  }),
  call({ path, old_text: before, new_text: after, all = false }, place) {
    const does = action('write', 'edit_file', path, place)
    const shown = place.show(does.path)
    return {
      title: `Edit ${shown}`,
      action: does,
      run() {
        const pieces = readText(does.path).split(before)
        const count = pieces.length - 1
        if (count === 0) return { text: `old_text does not stand in ${shown}: read the file again`, failed: true }
        if (count > 1 && !all) {
          return { text: `old_text stands ${count} times in ${shown}: give more of it, or set all`, failed: true }
        }
        writeFileSync(does.path, pieces.join(after))
        return { text: `Edited ${shown}: ${count === 1 ? 'one place' : `${count} places`}` }
      },
    }
  },
})

function readText(path: string): string {
  if (typeOf(path) === undefined) throw new Error(`There is no file ${path}`)
  const { size } = statSync(path)
  if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes, which is too much to read: search in it`)
  const bytes = readFileSync(path)
  if (bytes.subarray(0, BINARY_LOOK).includes(0)) throw new Error(`${path} is no text file`)
  return bytes.toString('utf8')
}

/** @returns undefined if there is nothing. @throws if it is there and no file: a pipe, say, would hold us for ever */
function typeOf(path: string): 'file' | undefined {
  try {
    const stat = statSync(path)
    if (stat.isDirectory()) throw new Error(`${path} is a directory`)
    if (!stat.isFile()) throw new Error(`${path} is no regular file`)
    return 'file'
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}
