/**
 * What an agent's error is about: nobody is logged in, a limit is reached, the model is unknown, its server is overloaded or away. Agents
 * tell it by fields where they have them, and each in its own words; text is asked last. Pure.
 */
import type { CauseWord } from '../session/cause.js'
import type { Cause } from '../session/events.js'
import { short } from './cut.js'

export interface Evidence {
  /** What the agent says, for people. */
  readonly message: string
  /** The HTTP status of the model's answer, where there was one. */
  readonly status?: unknown
  /** Words of fixed vocabularies: the kind of an error, a code. What is none is left out. */
  readonly kinds?: readonly unknown[]
}

/** What each is about by the words of Anthropic, OpenAI, Google, codex, opencode and the Agent Client Protocol. */
const kindsOf: Readonly<Partial<Record<CauseWord, readonly (string | number)[]>>> = {
  login: [
    ...['authentication_error', 'authentication_failed', 'permission_error', 'oauth_org_not_allowed'],
    ...['invalid_api_key', 'wrong_api_key', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'API_KEY_INVALID'],
    ...['unauthorized', 'ProviderAuthError', 'auth_required', -32000],
  ],
  quota: [
    ...['billing_error', 'rate_limit', 'rate_limit_error', 'insufficient_quota', 'rate_limit_exceeded', 'tokens'],
    ...['RESOURCE_EXHAUSTED', 'usageLimitExceeded', 'sessionBudgetExceeded', 'FreeUsageLimitError'],
  ],
  model: ['not_found_error', 'model_not_found', 'NOT_FOUND', 'ProviderModelNotFoundError', 'ModelNotFoundError'],
  overloaded: [
    ...[
      'overloaded_error',
      'api_error',
      'server_error',
      'timeout_error',
      'UNAVAILABLE',
      'INTERNAL',
      'DEADLINE_EXCEEDED',
    ],
    ...['serverOverloaded', 'internalServerError', 'server_overloaded', 'engine_overloaded'],
  ],
  unreachable: ['unreachable', 'connection_error'],
}
const kinds = new Map(
  Object.entries(kindsOf).flatMap(([word, each]) => each.map((kind) => [kind as unknown, word as CauseWord])),
)

/** Of these the kind says more than the status: codex names the step at which a connection failed, whatever it failed with. */
const connections: ReadonlySet<unknown> = new Set([
  'httpConnectionFailed',
  'responseStreamConnectionFailed',
  'responseStreamDisconnected',
  'responseTooManyFailedAttempts',
])

/** An HTTP status inside of a sentence, where the words around it say that it is one. */
const STATUS = /\b(?:API Error|HTTP(?: status)?|status(?: code)?)\b:? ?(?:code )?\(?([45]\d\d)\b/i

/** In this order: a key that is refused for its money is no wrong key. */
const words: readonly (readonly [CauseWord, RegExp])[] = [
  [
    'quota',
    /\b(?:usage|rate|spending|weekly|session|request) limit|hit your (?:\w+ )?limit|rate.limited|too many requests|insufficient.(?:quota|credits|funds|balance)|exceeded your (?:current )?quota|quota (?:exceeded|exhausted)|credit balance is too low|out of credits|payment required|billing (?:error|issue|problem|details|hard limit)/i,
  ],
  [
    'model',
    /\bmodel\b[^.]{0,120}?\b(?:does ?n[o']t exist|may not exist|not (?:be )?found|not supported|not available|is unknown|unknown)|(?:unknown|invalid|no such|unsupported) model|issue with the selected model|ModelNotFound|there is no model/i,
  ],
  [
    'login',
    /not logged in|log in again|please run \/login|nobody is logged in|(?:invalid|incorrect|wrong|missing|expired|no) api.?key|api.?key (?:is )?(?:invalid|missing|not valid|expired|not set)|authentication[ _](?:error|failed|required)|failed to authenticate|oauth token|\bunauthorized\b|login required|(?:auth|credential)s? (?:expired|not found)/i,
  ],
  [
    'overloaded',
    /overloaded|service unavailable|internal server error|bad gateway|at capacity|server error|temporarily unavailable/i,
  ],
  [
    'unreachable',
    /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|unable to connect|could not connect|connection (?:error|refused|reset|failed|closed|lost)|network error|fetch failed|cannot be reached|stream disconnected|broke off|socket hang up|error sending request/i,
  ],
]

export function blame({ message, status, kinds: given = [] }: Evidence): Cause {
  const http = Number.isSafeInteger(status) ? (status as number) : statusIn(message)
  const named = given.map((kind) => kinds.get(kind)).find((word) => word !== undefined)
  const said = () => words.find(([, pattern]) => isTold(message, pattern))?.[0]
  const away = () => (given.some((kind) => connections.has(kind)) && http === undefined ? 'unreachable' : undefined)
  // A broken server is also what an agent makes of any answer that it does not know: gemini says 500 for a model that is not there.
  const broken = http !== undefined && http >= 500 && http < 600 ? 'overloaded' : undefined
  const result = named ?? byStatus(http) ?? said() ?? broken ?? away() ?? 'agent'
  return { result, message: short(message), ...(http === undefined ? {} : { status: http }) }
}

/** A disk has its quota, too. */
const isTold = (message: string, pattern: RegExp): boolean => pattern.test(message.replace(/disk quota/gi, ''))

function byStatus(status: number | undefined): CauseWord | undefined {
  if (status === 401 || status === 403) return 'login'
  if (status === 402 || status === 429) return 'quota'
  return status === 404 ? 'model' : undefined
}

function statusIn(message: string): number | undefined {
  const [, digits] = STATUS.exec(message) ?? []
  return digits === undefined ? undefined : Number(digits)
}
