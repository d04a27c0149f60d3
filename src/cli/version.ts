import { manifest, version } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import type { Verb } from './context.js'
import { print } from './terminal.js'

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'version',
  describe: 'Print the version',
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    if (how) await print(`${shellWords(['jq', '-r', '.version', manifest])}\n`)
    else await print(json ? `${JSON.stringify({ version: version(), node: process.version })}\n` : `${version()}\n`)
    return 0
  },
}
