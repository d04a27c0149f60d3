import type { Verb } from './context.js'
import { type Args, decide } from './decide.js'

export const verb: Verb<Args & { always?: boolean }> = {
  command: 'approve <id> [request]',
  describe: 'Allow what a session asks for',
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'An id, a unique prefix, a title, or latest' })
      .positional('request', { type: 'string', describe: 'The request, where several wait' })
      .option('always', { type: 'boolean', describe: 'And the like of it, until the session ends' }) as never,
  handle: (args) => {
    const decision = args.always ? 'allow_always' : 'allow'
    return decide(
      args,
      'approvals',
      (requestId) => ({ type: 'approval_response', requestId, decision, via: 'cli' }),
      args.always ? 'allowed, and the like of it' : 'allowed',
    )
  },
}
