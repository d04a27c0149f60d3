/**
 * Files of AGENTZ_HOME as somebody with bad intent, or a broken disk, would leave them: each is a session, a registry or a line that
 * readers have to live with. What must never reach a terminal stands in all of them: ESC, a bell, a C1 control, and an override.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { type Home, sessionLog } from '../../src/base/paths.js'

/** Clears the screen, sets a title, makes a link, asks the terminal for its answer, and turns the reading direction. */
export const ESCAPES = '\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example\x07x\x1b[6n\x9b31m\x08\r\u202eevil'
/** What none of them may print to a terminal or a pipe. */
export const raw = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/

const at = '2026-03-14T09:00:00.100Z'
const unprintable = { toString: 0, valueOf: 0 }

const spec = (sessionId: string, more: object = {}) => ({
  ...{ sessionId, agentType: 'demo', prompt: 'p', title: 't', workingDir: '/tmp', restart: 'resume', umask: '0022' },
  createdAt: at,
  ...more,
})
const created = (sessionId: string, more: object = {}) =>
  JSON.stringify({ type: 'session_created', timestamp: at, by: 'user', sessionId, spec: spec(sessionId, more) })
const event = (type: string, more: object = {}) =>
  JSON.stringify({ type, timestamp: at, by: 'daemon', epoch: 1, ...more })

/** Every field that a person is shown, as it should not be. */
const fields = (value: unknown) => ({
  ...{ agentType: value, prompt: value, title: value, workingDir: value, model: value, permissionMode: value },
  ...{ labels: { a: value }, parent: value, limits: value, budget: value, restart: value, umask: value },
})
const ends = ['session_failed', 'session_interrupted', 'session_cancelled', 'session_completed'] as const
const said = (value: unknown): string[] =>
  [
    ...[
      'text',
      'thinking',
      'tool_use',
      'tool_result',
      'system',
      'error',
      'plan',
      'usage',
      'raw',
      'stalled',
      'status_change',
    ],
    ...[
      'user_message',
      'message_sent',
      'message_accepted',
      'turn_started',
      'turn_ended',
      'agent_session',
      'session_updated',
    ],
    ...[
      'approval_request',
      'input_request',
      'approval_response',
      'input_response',
      'approval_voided',
      'session_recovery',
    ],
    ...['session_frozen', 'session_thawed', 'freeze_requested', 'daemon_exited', 'session_queued', 'session_archived'],
  ].map((type) =>
    event(type, {
      ...{
        content: value,
        tool: value,
        input: value,
        title: value,
        requestId: value,
        messageId: value,
        question: value,
      },
      ...{
        options: [value, { decision: value, label: value }],
        reason: value,
        error: value,
        why: value,
        entries: value,
      },
      ...{
        cause: { result: value, code: value, status: value, message: value },
        result: value,
        code: value,
        status: value,
      },
      ...{ nativeId: value, permissionMode: value, delta: [value], seconds: value, costUsd: value, usage: value },
      ...{
        decision: value,
        by: value,
        via: value,
        timestamp: value,
        subject: value,
        about: value,
        turn: value,
        action: value,
      },
    }),
  )
const started = (more: object = {}) =>
  event('daemon_started', { unit: 'u', pid: 1, bootId: 'b', invocationId: 'i', ...more })

const wrong: readonly unknown[] = [null, 0, -1, 1e308, true, [], {}, [[]], unprintable, { length: -1 }]

/** The lines of a session's file, by what is wrong with it. */
const poisons: Record<string, (id: string) => (string | Buffer)[]> = {
  nothing: () => [''],
  noise: () => [Buffer.from([0, 255, 254, 10, 123, 125, 10, 123, 0, 125])],
  'a foreign beginning': () => [event('text', { content: 'x' })],
  'no specification': (id) => [JSON.stringify({ type: 'session_created', timestamp: at, sessionId: id, spec: {} })],
  'the id of another one': () => [created('../../../../etc')],
  'escapes where a person looks': (id) => [created(id, fields(ESCAPES)), started(), ...said(ESCAPES)],
  'escapes in a question': (id) => [
    created(id, { title: ESCAPES }),
    started(),
    event('approval_request', { requestId: ESCAPES, tool: ESCAPES, input: { command: ESCAPES }, title: ESCAPES }),
    event('input_request', { requestId: `2${ESCAPES}`, question: ESCAPES, options: [ESCAPES, '--file=/etc/shadow'] }),
  ],
  ...Object.fromEntries(
    ends.map((type) => [
      `escapes in ${type}`,
      (id: string) => [
        created(id),
        started(),
        event(type, { error: ESCAPES, cause: { result: ESCAPES, code: ESCAPES, status: ESCAPES, message: ESCAPES } }),
      ],
    ]),
  ),
  ...Object.fromEntries(
    wrong.flatMap((value, index) => [
      [`fields of a wrong kind ${index}`, (id: string) => [created(id, fields(value)), started()]],
      [`events of a wrong kind ${index}`, (id: string) => [created(id), started(), ...said(value)]],
      ...ends.map((type) => [
        `${type} of a wrong kind ${index}`,
        (id: string) => [
          created(id),
          event(type, {
            error: value,
            metadata: value,
            cause: { result: 'signal', code: value, status: value, message: value },
          }),
        ],
      ]),
    ]),
  ),
  'names that every object has': (id) => [
    created(id, { agentType: 'constructor', labels: { constructor: 'x', toString: 'y' } }),
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((type) => event(type)),
    '{"type":"text","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    event('user_message', { messageId: '__proto__', content: 'x' }),
    event('approval_request', { requestId: '__proto__', tool: 'toString', input: {} }),
  ],
  'numbers out of range': (id) => [
    created(id),
    started({ epoch: -1, pid: -1 }),
    '{"type":"daemon_started","epoch":1e999,"pid":1e999,"timestamp":"x"}',
    started({ epoch: 2 ** 60, pid: 2 ** 60 }),
    event('usage', { epoch: 2 ** 61, scope: 'turn', input: -1, output: 1e308, cached: 1e308, costUsd: -1e308 }),
  ],
  'a line of 3 MiB': (id) => [
    created(id),
    event('text', { content: 'x'.repeat(3 << 20) }),
    event('text', { content: 'behind' }),
  ],
  'a first line of 3 MiB': (id) => [created(id, { prompt: 'x'.repeat(3 << 20) })],
  'deep JSON': (id) => [created(id), `{"type":"text","content":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
  'a deep first line': (id) => [
    `{"type":"session_created","spec":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"sessionId":"${id}"}`,
  ],
  'the same ids again and again': (id) => [
    created(id),
    created('ffffffffffff', { title: 'another' }),
    started(),
    started(),
    ...Array.from({ length: 3 }, () => event('approval_request', { requestId: 'r', tool: 'Bash', input: {} })),
    ...Array.from({ length: 3 }, () => event('user_message', { messageId: 'm', content: 'x' })),
  ],
}

/** Makes a session of each; what is wrong with it, by id. */
export function poisonSessions(home: Home): Map<string, string> {
  const found = new Map<string, string>()
  Object.entries(poisons).forEach(([what, lines], index) => {
    const id = (0xb00000000000 + index).toString(16)
    const bytes = lines(id).map((line) => Buffer.from(line))
    writeFileSync(sessionLog(home, id), Buffer.concat(bytes.flatMap((line) => [line, Buffer.from('\n')])), {
      mode: 0o600,
    })
    found.set(id, what)
  })
  return found
}

/** Lines of a registry that no session of ours has written. */
export function poisonRegistry(home: Home): void {
  const row = (more: object) => JSON.stringify({ type: 'session_created', timestamp: at, by: 'user', ...more })
  const lines = [
    ...['../../etc/passwd', '..', '', '0123456789aG', '0123456789abc', '-rf', '__proto__', 'a\0b', 7, null, {}].map(
      (sessionId) => row({ sessionId, agentType: 'x', title: 'hostile id' }),
    ),
    ...[ESCAPES, ...wrong].map((value, index) => {
      const sessionId = (0xc00000000000 + index).toString(16)
      return row({ sessionId, ...fields(value), creator: { pid: value, start: value } })
    }),
    ...[ESCAPES, ...wrong].flatMap((value, index) => {
      const sessionId = (0xc00000000000 + index).toString(16)
      return said(value).map((line) => JSON.stringify({ ...JSON.parse(line), sessionId }))
    }),
    `{"type":"session_created","sessionId":"d00000000000","title":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    row({ sessionId: 'd00000000001', title: 'x'.repeat(2 << 20) }),
    '{"type":"session_created","sessionId":"d00000000002","__proto__":{"polluted":true}}',
    '\x00\xff{not json}\x18',
    '{"type":"session_completed","sessionId":"c0000000',
  ]
  mkdirSync(home.cache, { recursive: true })
  writeFileSync(home.registry, `${lines.join('\n')}\n`, { mode: 0o600 })
}
