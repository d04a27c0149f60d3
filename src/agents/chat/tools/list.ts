/** The tool that lists a directory. Links are shown and not followed. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { errno } from '../../../base/errors.js'
import { defineTool } from './tool.js'

const MOST_ENTRIES = 1000
/** Named, and not entered: nobody looks for anything there. */
const heavy = new Set(['.git', 'node_modules'])

export const listFiles = defineTool({
  name: 'list_files',
  kind: 'search',
  changes: false,
  description: 'Lists a directory. depth says how many levels of directories are entered; 1 lists the directory alone.',
  input: z.object({
    path: z.optional(z.string()),
    depth: z.optional(z.int().check(z.gte(1), z.lte(20))),
  }),
  call({ path = '.', depth = 1 }, place) {
    const real = place.resolve(path || '.')
    return {
      title: `List ${place.show(real)}`,
      action: { kind: 'read', tool: 'list_files', path: real, guarded: place.isGuarded('read', real) },
      run() {
        const names: string[] = []
        const isWhole = list(real, '', depth, names)
        if (names.length === 0) return { text: '[the directory is empty]' }
        return { text: names.join('\n') + (isWhole ? '' : `\n[there are more than these ${MOST_ENTRIES}]`) }
      },
    }
  },
})

/** @returns whether all were listed */
function list(root: string, below: string, depth: number, names: string[]): boolean {
  for (const entry of entriesOf(join(root, below), below === '')) {
    if (names.length === MOST_ENTRIES) return false
    const name = below + entry.name
    names.push(entry.isDirectory() ? `${name}/` : entry.isSymbolicLink() ? `${name}@` : name)
    const isEntered = entry.isDirectory() && depth > 1 && !heavy.has(entry.name)
    if (isEntered && !list(root, `${name}/`, depth - 1, names)) return false
  }
  return true
}

function entriesOf(directory: string, isRoot: boolean) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    // One that may not be entered, or is gone since it was named, does not spoil the rest.
    if (!isRoot && ['EACCES', 'ENOENT'].includes(errno(error) ?? '')) return []
    throw error
  }
}
