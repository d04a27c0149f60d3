/** What each route is for, what it answers, and by which errors: what its declaration in the code does not say. */
import type { ErrorCode } from '../../base/errors.js'
import type { AnswerName } from './answers.js'

export interface Words {
  readonly summary: string
  readonly tag: 'sessions' | 'conversation' | 'events' | 'streams' | 'server'
  /** What the body is called in the document. */
  readonly body?: string
  /** A body that may be left out. */
  readonly bodyOptional?: true
  readonly more?: string
  /** Of the answer when all went well; 200 if not said. */
  readonly status?: number
  /** JSON of this name; or other types, each with what it holds. */
  readonly answer: AnswerName | Readonly<Record<string, string>>
  /** Other good ends, each with what it means. */
  readonly also?: Readonly<Record<number, string>>
  /** What a route that declares nothing looks at in a query. */
  readonly query?: readonly string[]
  /** Beyond those of every route, of its guard and of its declaration. */
  readonly errors?: readonly ErrorCode[]
}

const lock: readonly ErrorCode[] = ['LOG_WRITE', 'LOCK_BUSY']
const start: readonly ErrorCode[] = ['NO_MANAGER', 'UNIT_FAILED', 'CONFIG_INVALID']

const follow = {
  more: 'Each event has its offset as `id` and the line as it is in the file as `data`. A damaged line is an `event: damaged`, a truncated file an `event: reset`, and what goes wrong an `event: error` with the body of an error. Whoever reconnects sends `Last-Event-ID`, as browsers do, and misses nothing.',
  answer: {
    'text/event-stream': 'Server-Sent Events, until you or the server end it.',
    'application/x-ndjson': 'With `follow=0`: the lines as they are in the file, to its end.',
  },
  also: { 304: 'With `follow=0`: it is as `If-None-Match` knows it.' },
  errors: ['TOO_MANY_STREAMS', 'HOME_UNUSABLE'],
} as const

const all = {
  tag: 'sessions',
  more: 'Those that wait in the queue come first. Each for itself: one that could not be asked has an `error`.',
  bodyOptional: true,
  answer: 'All',
  errors: ['HOME_UNUSABLE'],
} as const

const stream = {
  tag: 'streams',
  more: 'The durable-streams protocol, version 1.0; its own documents tell all of it. `sessions/ID`, `__registry__` and `__state__` tell of sessions, and can only be read.',
} as const
const nothing = { '': 'Nothing.' } as const

const log = {
  tag: 'events',
  more: 'Its ETag is another one with each line, `Range` takes one piece, and `If-Range` is heeded.',
  errors: ['NOT_FOUND', 'HOME_UNUSABLE'],
} as const

export const words: Readonly<Record<string, Words>> = {
  'GET /v1/sessions': {
    tag: 'sessions',
    summary: 'List sessions',
    more: '`offset` is where to follow `/v1/events` from.',
    answer: 'Sessions',
    errors: ['AGENT_UNKNOWN', 'HOME_UNUSABLE'],
  },
  'POST /v1/sessions': {
    tag: 'sessions',
    summary: 'Start a session',
    body: 'NewSession',
    status: 201,
    answer: 'Created',
    errors: [
      ...['AGENT_UNKNOWN', 'AGENT_MISSING', 'AGENT_DISABLED', 'DIR_MISSING', 'LOG_TOO_LONG', 'UNSUPPORTED'],
      ...['TIMED_OUT', 'HOME_UNUSABLE', ...start, ...lock],
    ] as ErrorCode[],
  },
  'GET /v1/sessions/:id': {
    tag: 'sessions',
    summary: 'Show one session',
    answer: 'Session',
    errors: ['NOT_FOUND', 'HOME_UNUSABLE'],
  },
  'GET /v1/sessions/:id/events': {
    tag: 'events',
    summary: 'Read or follow the log of a session',
    ...follow,
    errors: ['NOT_FOUND', ...follow.errors],
  },
  'POST /v1/sessions/:id/messages': {
    tag: 'conversation',
    summary: 'Say something to it, whether it runs or has ended',
    body: 'Message',
    status: 202,
    answer: 'Said',
    errors: ['NOT_FOUND', 'CONFLICT', 'LOG_TOO_LONG', 'TIMED_OUT', ...start, ...lock],
  },
  'POST /v1/sessions/:id/approvals/:requestId': {
    tag: 'conversation',
    summary: 'Allow or deny what it asks to be allowed',
    more: 'The first answer wins, whichever way it came.',
    body: 'Approval',
    answer: 'Answered',
    errors: ['NOT_FOUND', 'CONFLICT', 'LOG_TOO_LONG', ...lock],
  },
  'POST /v1/sessions/:id/inputs/:requestId': {
    tag: 'conversation',
    summary: 'Answer any other question of it',
    body: 'Input',
    answer: 'Answered',
    errors: ['NOT_FOUND', 'CONFLICT', 'LOG_TOO_LONG', ...lock],
  },
  'GET /v1/approvals': {
    tag: 'conversation',
    summary: 'All that waits for an answer, in all sessions',
    answer: 'Approvals',
    errors: ['HOME_UNUSABLE'],
  },
  'POST /v1/sessions/:id/cancel': {
    tag: 'sessions',
    summary: 'Ask a session to end',
    more: 'Its daemon ends the agent and itself. One that has ended stays as it is.',
    bodyOptional: true,
    answer: 'Cancelled',
    errors: ['NOT_FOUND', ...lock],
  },
  'POST /v1/sessions/:id/freeze': {
    tag: 'sessions',
    summary: 'Hold all its processes still',
    bodyOptional: true,
    answer: 'Frozen',
    errors: ['NOT_FOUND', 'UNSUPPORTED', 'TIMED_OUT', 'NO_MANAGER', 'UNIT_FAILED', ...lock],
  },
  'POST /v1/sessions/:id/thaw': {
    tag: 'sessions',
    summary: 'Let them go on',
    bodyOptional: true,
    answer: 'Frozen',
    errors: ['NOT_FOUND', 'UNSUPPORTED', 'TIMED_OUT', 'NO_MANAGER', 'UNIT_FAILED', ...lock],
  },
  'POST /v1/cancel': { summary: 'Ask all that live to end', ...all },
  'POST /v1/freeze': { summary: 'Hold all processes of all that live still', ...all },
  'POST /v1/thaw': { summary: 'Let all go on', ...all },
  'GET /v1/events': { tag: 'events', summary: 'Read or follow the registry: the life of all sessions', ...follow },
  'GET /v1/stream/*': {
    ...stream,
    summary: 'Read or follow a durable stream',
    query: ['offset', 'live', 'cursor'],
    also: { 204: 'Nothing new came, with `live=long-poll`.', 304: 'What you have is what there is.' },
    answer: { '*/*': 'What the stream holds, by its own content type; or Server-Sent Events with `live=sse`.' },
    errors: ['BAD_INPUT', 'BAD_ID', 'NOT_FOUND', 'STREAM_GONE', 'TOO_MANY_STREAMS'],
  },
  'HEAD /v1/stream/*': {
    ...stream,
    summary: 'How long a durable stream is',
    answer: nothing,
    errors: ['BAD_INPUT', 'BAD_ID', 'NOT_FOUND', 'STREAM_GONE'],
  },
  'PUT /v1/stream/*': {
    ...stream,
    summary: 'Create a durable stream',
    status: 201,
    also: { 200: 'It was there already, just so.' },
    answer: nothing,
    errors: ['BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'BODY_TOO_LARGE', 'STREAM_FIXED', 'STREAM_GONE', ...lock],
  },
  'POST /v1/stream/*': {
    ...stream,
    summary: 'Append to a durable stream, or close it',
    status: 204,
    also: { 200: 'Appended, by an idempotent producer.' },
    answer: nothing,
    errors: [
      ...['BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'BODY_TOO_LARGE', 'STREAM_FIXED', 'STREAM_FENCED', 'STREAM_GONE'],
      ...lock,
    ] as ErrorCode[],
  },
  'DELETE /v1/stream/*': {
    ...stream,
    summary: 'Delete a durable stream',
    status: 204,
    answer: nothing,
    errors: ['BAD_INPUT', 'NOT_FOUND', 'STREAM_FIXED', 'STREAM_GONE', ...lock],
  },
  'OPTIONS /v1/stream/*': {
    ...stream,
    summary: 'What a page of another origin may send, where streams are shared',
    status: 204,
    answer: nothing,
  },
  'GET /v1/sessions/:id/page': {
    tag: 'events',
    summary: 'A page of a log, each event with its address',
    more: 'The end of it, if no place is named.',
    answer: 'Page',
    errors: ['NOT_FOUND', 'HOME_UNUSABLE'],
  },
  'GET /v1/sessions/:id/log': {
    ...log,
    summary: 'Its file, byte for byte, all of it or a piece',
    answer: { 'application/x-ndjson': 'The lines as they are in the file, up to the last whole one.' },
    also: { 206: 'The piece that `Range` asks for.', 304: 'It is as `If-None-Match` knows it.' },
    errors: [...log.errors, 'RANGE_ABSENT', 'TOO_MANY_STREAMS'],
  },
  'HEAD /v1/sessions/:id/log': {
    ...log,
    summary: 'How long its file is',
    answer: nothing,
    also: { 304: 'It is as `If-None-Match` knows it.' },
  },
  'GET /v1/agents': {
    tag: 'sessions',
    summary: 'The agents that may be started',
    answer: 'Agents',
    errors: ['CONFIG_INVALID'],
  },
  'GET /v1/server': { tag: 'server', summary: 'Where the server listens', answer: 'Server' },
  'POST /v1/login': {
    tag: 'server',
    summary: 'Trade a code of `agentz open` for a cookie',
    body: 'Login',
    answer: 'LoggedIn',
    errors: ['UNAUTHORIZED'],
  },
  'GET /healthz': { tag: 'server', summary: 'Whether the server is here', answer: 'Health' },
  'GET /metrics': {
    tag: 'server',
    summary: 'Numbers for Prometheus',
    answer: { 'text/plain': 'The text format of Prometheus, version 0.0.4.' },
    errors: ['HOME_UNUSABLE'],
  },
  'GET /openapi.json': {
    tag: 'server',
    summary: 'This document',
    answer: { 'application/json': 'OpenAPI 3.1.' },
  },
  'GET /docs': { tag: 'server', summary: 'This document as a page', answer: { 'text/html': 'A page.' } },
}
