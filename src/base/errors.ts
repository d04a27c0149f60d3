/**
 * Every error that a person can meet: code, exit status of the CLI, HTTP status, what to do next. Codes are never reused.
 * docs: README "Errors"; a test holds both together.
 */
const table = {
  USAGE: { exit: 2, http: 400, hint: 'See `agentz --help`.' },
  BAD_INPUT: { exit: 2, http: 400, hint: 'Correct what is named above and try again.' },
  BAD_ID: { exit: 2, http: 400, hint: 'A session id is 12 characters of 0-9a-f; `agentz ls` prints them.' },
  AMBIGUOUS: { exit: 2, http: 409, hint: 'Type more characters of the id.' },
  NOT_FOUND: { exit: 3, http: 404, hint: '`agentz ls` prints the sessions that exist.' },
  CONFLICT: { exit: 3, http: 409, hint: 'Read the session again with `agentz show`; somebody was faster.' },
  AGENT_UNKNOWN: { exit: 2, http: 400, hint: '`agentz agents` lists them.' },
  AGENT_MISSING: { exit: 1, http: 422, hint: 'Install the agent, or put its directory on PATH.' },
  AGENT_DISABLED: { exit: 1, http: 403, hint: 'Its switch is `agents` in config.json of AGENTZ_HOME.' },
  DIR_MISSING: { exit: 2, http: 400, hint: 'Name an existing directory with -C.' },
  HOME_UNUSABLE: { exit: 1, http: 500, hint: 'Point AGENTZ_HOME at a directory of your own with mode 0700.' },
  CONFIG_INVALID: { exit: 1, http: 500, hint: 'Correct the file, or remove it to use the defaults.' },
  LOG_WRITE: { exit: 1, http: 507, hint: 'Make room on the file system (df -h), then try again.' },
  LOG_TOO_LONG: {
    exit: 2,
    http: 413,
    hint: 'A log line holds at most 1 MiB; put larger text into a file and name the file.',
  },
  BODY_TOO_LARGE: { exit: 1, http: 413, hint: 'A request body holds at most 1 MiB; put larger text into a file.' },
  RANGE_ABSENT: { exit: 2, http: 416, hint: 'Ask for bytes that are there, or without Range for all of them.' },
  LOCK_BUSY: {
    exit: 1,
    http: 503,
    hint: 'Another process holds the lock; it goes away by itself 2 s after a crash. Try again.',
  },
  NO_MANAGER: {
    exit: 1,
    http: 503,
    hint: 'Log in through a session that has a user manager, or run under `scripts/with-user-manager`.',
  },
  UNIT_FAILED: { exit: 1, http: 500, hint: '`journalctl --user -u UNIT` and `systemctl --user status UNIT` say more.' },
  UNSUPPORTED: { exit: 1, http: 501, hint: 'The README says what needs which part of the operating system.' },
  TIMED_OUT: { exit: 124, http: 504, hint: 'Give it more time, or look at `agentz show`.' },
  NO_TERMINAL_EVENT: { exit: 1, http: 500, hint: '`agentz logs` shows how far it came.' },
  NO_SERVER: { exit: 1, http: 503, hint: 'Start one: `agentz serve`. Sessions need none.' },
  SERVER_LISTEN: { exit: 1, http: 500, hint: 'Choose another port with --port, or end the server that has it.' },
  UNAUTHORIZED: {
    exit: 1,
    http: 401,
    hint: 'Take the token from a file, `curl -H @FILE`, or come by the Unix socket; a browser logs in by `agentz open`.',
  },
  FORBIDDEN_ORIGIN: { exit: 1, http: 403, hint: 'Only pages that this server sent may call it.' },
  WRONG_HOST: { exit: 1, http: 421, hint: 'Use the address that `agentz serve` printed.' },
  NOT_JSON: { exit: 1, http: 415, hint: 'Send `Content-Type: application/json`.' },
  TOO_MANY_STREAMS: { exit: 1, http: 503, hint: 'Close streams, or raise `server.maxStreams` in config.json.' },
  STREAM_GONE: { exit: 1, http: 410, hint: 'Use another name; this one is free again when its forks are deleted.' },
  STREAM_FIXED: { exit: 1, http: 405, hint: 'Sessions and the registry can be read as streams, and nothing else.' },
  STREAM_FENCED: { exit: 1, http: 403, hint: 'Another producer of this name has a higher epoch; take one above it.' },
  INTERNAL: { exit: 1, http: 500, hint: 'This is a defect; please report it with the text above.' },
} as const

export type ErrorCode = keyof typeof table

/** An error for people: `message` says what was being done, to what, and why it failed; `hint` what to do next. */
export class AgentzError extends Error {
  readonly code: ErrorCode
  readonly hint: string

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AgentzError'
    this.code = code
    this.hint = options.hint ?? table[code].hint
  }

  /** By its marks, not by its class: the server is bundled apart and has a copy of the class. */
  static override [Symbol.hasInstance](error: unknown): error is AgentzError {
    return error instanceof Error && error.name === 'AgentzError' && 'hint' in error && 'exit' in error
  }

  get exit(): number {
    return table[this.code].exit
  }

  get http(): number {
    return table[this.code].http
  }
}

export const errorCodes = table

/** The reason in words, of whatever was thrown. EDQUOT has no name in Node: only its number says so. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { errno, message } = error as NodeJS.ErrnoException
  return errno === -122 ? `disk quota exceeded (${message})` : message
}

/** The system's name of an error (ENOENT, ...), undefined for everything else. */
export function errno(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}

/** Any thrown value as an AgentzError; what is not one of ours is a defect and keeps its stack as cause. */
export function toAgentzError(error: unknown): AgentzError {
  return error instanceof AgentzError ? error : new AgentzError('INTERNAL', reason(error), { cause: error })
}
