/** The wiring of the verbs: yargs parses, the verb's own file does the work. Only the verb that was typed is loaded. */
import './cwd.js'

import yargs from 'yargs'
import { AgentzError, toAgentzError } from '../base/errors.js'
import { version } from '../base/programs.js'
import { takeUmask } from '../base/umask.js'
import type { Verb } from './context.js'
import { noVerb, refusal, refuseDoubled } from './refusal.js'
import { harmless, say } from './terminal.js'

const verbs: Record<string, () => Promise<{ verb: Verb<never> }>> = {
  run: () => import('./run.js') as never,
  ls: () => import('./ls.js') as never,
  show: () => import('./show.js') as never,
  logs: () => import('./logs.js') as never,
  send: () => import('./send.js') as never,
  approve: () => import('./approve.js') as never,
  deny: () => import('./deny.js') as never,
  answer: () => import('./answer.js') as never,
  agents: () => import('./agents.js') as never,
  cancel: () => import('./cancel.js') as never,
  freeze: () => import('./freeze.js') as never,
  thaw: () => import('./thaw.js') as never,
  wait: () => import('./wait.js') as never,
  append: () => import('./append.js') as never,
  recover: () => import('./recover.js') as never,
  install: () => import('./install.js') as never,
  uninstall: () => import('./uninstall.js') as never,
  serve: () => import('./serve.js') as never,
  token: () => import('./token.js') as never,
  open: () => import('./open.js') as never,
  version: () => import('./version.js') as never,
}

/** What is said by them is for the session alone. */
const confidential = new Set(['run', 'send', 'answer', 'deny', 'approve', 'append'])

/** What people type who come from docker, pueue or systemctl. */
const aliases: Record<string, string> = {
  spawn: 'run',
  list: 'ls',
  ps: 'ls',
  inspect: 'show',
  stop: 'cancel',
  tail: 'logs',
  allow: 'approve',
  help: '--help',
}

async function main(argv: string[]): Promise<number> {
  takeUmask()
  const dashes = argv.indexOf('--')
  const own = withStdin(dashes < 0 ? argv : argv.slice(0, dashes))
  const rest = dashes < 0 ? [] : argv.slice(dashes + 1)
  const typed = aliases[own[0] ?? ''] ?? own[0] ?? ''
  if (own[0] !== undefined) own[0] = typed
  // ps(1) shows command lines to all users, and `run` stays as long as its session.
  if (confidential.has(typed)) process.title = `agentz ${typed}`
  const load = verbs[typed]
  if (load === undefined && typed !== '' && !typed.startsWith('-')) throw noVerb(typed, own, Object.keys(verbs))
  let status = 0
  const chosen = load === undefined ? undefined : (await load()).verb
  const fail = (message: string) => usage(refusal(message, chosen?.command ?? 'VERB', own), typed, own)
  const parser = yargs()
    .scriptName('agentz')
    .usage('$0 VERB: each coding-agent session is one unit of the operating system and one plain file')
    .locale('en')
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
    })
    .strict()
    .demandCommand(1, 'Say what to do: a verb is missing.')
    .option('json', { type: 'boolean', describe: 'Print JSON: one object, or one a line for lists', global: true })
    .option('how', {
      type: 'boolean',
      describe: 'Print the plain commands that do the same, and do nothing',
      global: true,
    })
    .version(version())
    .help()
    .alias('help', 'h')
    .alias('version', 'V')
    .wrap(Math.min(process.stdout.columns || 100, 110))
    .exitProcess(false)
    .fail((message: string, error: Error | undefined) => {
      // What yargs itself refuses comes with an error of its own, or with none.
      throw error === undefined || error.name === 'YError' ? fail(message ?? error?.message ?? '') : error
    })
  const known = chosen ? [chosen] : await Promise.all(Object.values(verbs).map(async (each) => (await each()).verb))
  for (const verb of known) {
    parser.command({
      command: verb.command,
      aliases: Object.keys(aliases).filter((alias) => aliases[alias] === verb.command.split(' ')[0]),
      describe: verb.describe,
      builder: verb.build as never,
      handler: async (args) => {
        refuseDoubled(args, fail)
        status = await verb.handle(args as never, rest)
      },
    })
  }
  await parser.parseAsync(own)
  return status
}

function usage(message: string, verb: string, words: readonly string[]): AgentzError {
  const forgotDashes = verb === 'run' && words.some((word) => word === 'command' || word.endsWith('=command'))
  const hint = forgotDashes
    ? 'What is to be run goes behind two dashes: agentz run -a command -- CMD ARG...'
    : `See \`agentz ${verb in verbs ? `${verb} ` : ''}--help\`.`
  return new AgentzError('USAGE', message, { hint })
}

/** yargs loses a lone "-", as an argument and as the value of -f alike: both mean standard input. */
function withStdin(words: readonly string[]): string[] {
  const own: string[] = []
  for (const word of words) {
    if (word === '-' && ['-f', '--file'].includes(own.at(-1) ?? '')) own.pop()
    own.push(word === '-' ? '--file=-' : word)
  }
  return own
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe went away, as `| head` does: nothing more to say to it.
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status
  },
  (thrown) => {
    const error = toAgentzError(thrown)
    say(harmless(`agentz: ${error.message}\n${error.hint}`))
    if (error.code === 'INTERNAL') say(String((error.cause as Error | undefined)?.stack ?? ''))
    process.exitCode = error.exit
  },
)
