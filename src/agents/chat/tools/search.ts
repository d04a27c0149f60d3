/** The tool that searches in files. grep does it: it can be stopped, and no pattern makes it hang. */
import { statSync } from 'node:fs'
import { basename, delimiter, isAbsolute } from 'node:path'
import * as z from 'zod/mini'
import { findProgram } from '../../program.js'
import { clip } from './output.js'
import type { Place } from './place.js'
import { runProcess } from './process.js'
import { defineTool } from './tool.js'

const MOST_LINES = 500
const LINE_LENGTH = 400

const options = ['-nHIE', '-D', 'skip', '--exclude-dir=.git', '--exclude-dir=node_modules']

export const search = defineTool({
  name: 'search',
  kind: 'search',
  changes: false,
  description:
    'Searches the text files of a directory, or one file, for an extended regular expression. Gives file:line:text. files is a pattern for names, such as *.ts.',
  input: z.object({
    pattern: z.string().check(z.minLength(1)),
    path: z.optional(z.string()),
    files: z.optional(z.string()),
  }),
  call({ pattern, path = '.', files }, place) {
    const real = place.resolve(path || '.')
    return {
      title: `Search for ${clip(pattern, LINE_LENGTH)} in ${place.show(real)}`,
      action: { kind: 'read', tool: 'search', path: real, guarded: place.isGuarded('read', real) },
      async run(run) {
        const isInside = place.isInside(real)
        const target = isInside ? place.show(real) : real
        const deep = statSync(real).isDirectory() ? ['-r'] : []
        const only = files === undefined ? [] : [`--include=${files}`]
        // A search of what is around it would bring its keys along.
        const home = place.home === undefined ? [] : [`--exclude-dir=${basename(place.home)}`]
        const argv = [grepOf(run.env.PATH, place), ...options, ...home, ...deep, ...only, '-e', pattern, '--', target]
        const { output, status } = await runProcess(argv, { ...run, cwd: place.cwd })
        if (status === 1 && output === '') return { text: '[nothing found]' }
        return { text: bounded(output), failed: status > 1 }
      },
    }
  },
})

/** Nobody is asked before a search, so a project must not be able to bring its own: PATH may lead into the directory. */
function grepOf(path: string | undefined, place: Place): string {
  const outside = path?.split(delimiter).filter((directory) => isAbsolute(directory) && !place.isInside(directory))
  const grep = findProgram('grep', outside?.join(delimiter) || undefined)
  if (grep === undefined) throw new Error('There is no grep on PATH')
  return grep
}

function bounded(output: string): string {
  const lines = output.trimEnd().split('\n')
  const cut = lines.slice(0, MOST_LINES).map((line) => clip(line.replace(/^\.\//, ''), LINE_LENGTH))
  const more = lines.length - cut.length
  return cut.join('\n') + (more > 0 ? `\n[and ${more} more lines]` : '')
}
