import type { Verb } from './context.js'
import { type Args, decide } from './decide.js'
import { readText } from './input.js'

export const verb: Verb<Args & { text?: string[]; file?: string }> = {
  command: 'answer <id> [text..]',
  describe: 'Answer the question of a session',
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'An id, a unique prefix, a title, or latest' })
      .positional('text', { type: 'string', array: true, describe: 'The answer; - reads it from standard input' })
      .option('file', { alias: 'f', type: 'string', describe: 'Read it from a file' })
      .option('request', { type: 'string', describe: 'The request, where several wait' }) as never,
  handle: async (args, rest) => {
    const content = await readText('answer', [...(args.text ?? []), ...rest], args.file)
    return decide(
      args,
      'inputs',
      (requestId) => ({ type: 'input_response', requestId, content, via: 'cli' }),
      'answered',
    )
  },
}
