import type { Verb } from './context.js'
import { type Args, decide } from './decide.js'

export const verb: Verb<Args & { reason?: string }> = {
  command: 'deny <id> [request]',
  describe: 'Refuse what a session asks for',
  build: (yargs) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'An id, a unique prefix, a title, or latest' })
      .positional('request', { type: 'string', describe: 'The request, where several wait' })
      .option('reason', { alias: 'r', type: 'string', describe: 'Why; the agent is told, where it can be' }) as never,
  handle: (args) => {
    const reason = args.reason === undefined ? {} : { reason: args.reason }
    return decide(
      args,
      'approvals',
      (requestId) => ({ type: 'approval_response', requestId, decision: 'deny', ...reason, via: 'cli' }),
      'denied',
    )
  },
}
