/** What to do next, for those who came by HTTP: hints are written for the command line, and a route or a field does the same. */
import type { AgentzError } from './errors.js'

const routes: readonly (readonly [RegExp, string])[] = [
  [/`agentz ls`/g, '`GET /v1/sessions`'],
  [/`agentz show ([0-9a-f]{12})`/g, '`GET /v1/sessions/$1`'],
  [/`agentz show`/g, '`GET /v1/sessions/ID`'],
  [/`agentz logs`/g, '`GET /v1/sessions/ID/events`'],
  [/`agentz send`/g, '`POST /v1/sessions/ID/messages`'],
  [/`agentz agents(?: --json)?`/g, '`GET /v1/agents`'],
  [
    /^(?:Name the program after two dashes: )?`?agentz run -a command -- CMD ARG\.\.\.`?\.?$/,
    'Name the program and its arguments in `command`.',
  ],
  [/^agentz run "your prompt"$/, 'Say it in `prompt`.'],
  [/agentz run -C DIR --sandbox strict \.\.\./, 'name it in `workingDir`'],
  [/ with -C\./, ' in `workingDir`.'],
  [/`--runtime(?: SECONDS)?`/, '`limits.runtime`'],
  [/`--memory`/, '`limits.memory`'],
  [/`-m MODEL`/, '`model`'],
  [/without --sandbox /, 'without `sandbox` '],
]

/** What has no route, such as `agentz token`, stays as it is. */
export const byRoute = (hint: string): string =>
  routes.reduce((text, [command, route]) => text.replace(command, route), hint)

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string }
}

export function errorBody({ code, message, hint }: AgentzError): ErrorBody {
  return { error: { code, message, hint: byRoute(hint) } }
}
