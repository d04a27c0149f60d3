/** The profile of Gemini CLI. Measured with 0.61.0. */
import { text } from '../json.js'
import { mendHistory } from './gemini-store.js'
import type { Profile } from './profile.js'

export const geminiProfile: Profile = {
  name: 'gemini',
  argv: ({ command, model }) => [
    ...(command ?? ['gemini']),
    '--acp',
    // The protocol offers models too, but takes any name, and not all that exist are on its list.
    ...(model === undefined ? [] : ['-m', model]),
  ],
  env: (_spec, env) => ({
    // It would start itself once more: 140 MB, and a SIGTERM that is not passed on.
    GEMINI_CLI_NO_RELAUNCH: 'true',
    // With a key alone it begins sessions and does not load them. Its usual address, named, makes both work.
    ...(env.GEMINI_API_KEY && !env.GOOGLE_GEMINI_BASE_URL ? { GOOGLE_GEMINI_BASE_URL: VENDOR } : {}),
  }),
  modes: { plan: 'plan', default: 'default', acceptEdits: 'autoEdit', bypassPermissions: 'yolo' },
  modelAtStart: true,
  silentDenial: true,
  toolInId: /^([A-Za-z]\w*?)__/,
  modeNews: /^\[MODE_UPDATE\] (\w+)$/,
  replayPauseMs: 300,
  notSaid: /^(<session_context>|\[Function Response: )/,
  mend: mendHistory,
  noise:
    /^(Ripgrep is not available|Skipping project agents|Project hooks disabled|\[STARTUP\] Phase|YOLO mode is enabled|Loaded cached credentials)/,
  mutters: true,
  forgets: ({ message, data }) => /session .*not found|invalid session|no previous sessions/i.test(said(message, data)),
  loginHint: 'run `gemini` and log in, or set GEMINI_API_KEY',
  loginWords: /set an auth method|no authentication is configured/i,
  modeHint: 'It must trust the folder: run `gemini` there once, or set GEMINI_CLI_TRUST_WORKSPACE=true.',
}

const VENDOR = 'https://generativelanguage.googleapis.com'

const said = (message: unknown, data: unknown): string => `${text(message)} ${JSON.stringify(data ?? '')}`
