import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import * as z from 'zod/mini'
import { lineKind } from '../../src/log/line.js'
import { controlTypes, RegistryEvent, SessionEvent } from '../../src/session/events.js'
import { frame, framer } from '../../src/session/frame.js'

const page = readFileSync(new URL('../../src/session/EVENTS.md', import.meta.url), 'utf8')

interface Sample {
  readonly heading: string
  readonly section: string
  readonly line: string
}

/** Each "### `type`" of the page with its section and the lines of its fence. */
function samples(): Sample[] {
  const found: Sample[] = []
  for (const part of page.split(/^## /m).slice(1)) {
    const section = part.slice(0, part.indexOf('\n'))
    for (const entry of part.split(/^### /m).slice(1)) {
      const heading = /^`(\w+)`$/m.exec(entry)?.[1] ?? ''
      const fences = [...entry.matchAll(/^```ndjson\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
      found.push({ heading, section, line: fences.join('') })
    }
  }
  return found
}

const typesOf = (union: typeof SessionEvent | typeof RegistryEvent): string[] =>
  union.def.options.map((option) => String(option.def.shape.type.def.values[0]))

const forSession = typesOf(SessionEvent)
const forRegistry = typesOf(RegistryEvent)
const inBoth = forSession.filter((type) => type !== 'session_created' && forRegistry.includes(type))

/** The paths of fields that a loose schema lets pass, but does not know. */
function unknownFields(schema: z.core.$ZodType, value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object') return []
  const { def } = schema._zod as z.core.$ZodTypes['_zod']
  switch (def.type) {
    case 'object':
      return Object.entries(value).flatMap(([key, item]) => {
        const field = def.shape[key]
        return field === undefined ? [`${path}${key}`] : unknownFields(field, item, `${path}${key}.`)
      })
    case 'optional':
    case 'default':
      return unknownFields(def.innerType, value, path)
    default:
      return []
  }
}

function strictly(union: typeof SessionEvent | typeof RegistryEvent, line: string): string[] {
  const value = JSON.parse(line)
  const result = z.safeParse(union, value)
  if (!result.success) return result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const schema = union.def.options.find((option) => option.def.shape.type.def.values[0] === value.type)
  return schema === undefined ? ['no schema'] : unknownFields(schema, value)
}

t.test('every type has one sample, in its section, and no sample has another type', async (t) => {
  const headings = (section: string) =>
    samples()
      .filter((sample) => sample.section === section)
      .map(({ heading }) => heading)
      .sort()
  t.same(headings('Both files'), [...inBoth].sort())
  t.same(headings('The registry alone'), forRegistry.filter((type) => !inBoth.includes(type)).sort())
  t.same(headings('The session file alone'), forSession.filter((type) => !inBoth.includes(type)).sort())
})

t.test('every sample is one line that its schema knows to the last field', async (t) => {
  for (const { heading, section, line } of samples()) {
    t.equal(line.split('\n').length, 2, `${heading}: one line and its newline`)
    t.equal(JSON.parse(line).type, heading)
    t.ok(line.startsWith(`{"type":"${heading}","timestamp":"`), `${heading}: type first, as a writer puts it`)
    if (section !== 'The registry alone') t.same(strictly(SessionEvent, line), [], `${heading} in ${section}`)
    if (section !== 'The session file alone') t.same(strictly(RegistryEvent, line), [], `${heading} in ${section}`)
  }
})

t.test('the proof itself is not blind', async (t) => {
  const good = '{"type":"text","timestamp":"t","by":"agent","content":"x"}'
  t.same(strictly(SessionEvent, good), [])
  t.same(strictly(SessionEvent, good.replace('content', 'contents')), ['contents'])
  t.same(strictly(SessionEvent, good.replace('"agent"', '"nobody"')).length, 1)
  t.same(strictly(SessionEvent, good.replace('"text"', '"texts"')).length, 1)
  const failed = '{"type":"error","timestamp":"t","by":"agent","content":"x","cause":{"result":"agent","reason":"y"}}'
  t.same(strictly(SessionEvent, failed), ['cause.reason'])
})

t.test('types that both files have are one schema', async (t) => {
  for (const type of inBoth) {
    const of = (union: typeof SessionEvent | typeof RegistryEvent): unknown =>
      union.def.options.find((option) => option.def.shape.type.def.values[0] === type)
    t.equal(of(SessionEvent), of(RegistryEvent), type)
  }
  t.same(
    controlTypes.filter((type) => !page.includes(`\`${type}\``)),
    [],
    'the page names what others may append',
  )
})

t.test('the samples tell one story', async (t) => {
  const ids = new Set([...page.matchAll(/"sessionId":"(\w+)"/g)].map((match) => match[1]))
  t.equal(ids.size, 1, 'of one session')
})

// Readers skip output by its first bytes, unparsed: a line whose type stands elsewhere would be folded for nothing.
t.test('a framed event is what the schemas know, type first', async (t) => {
  const timestamp = '2026-01-01T00:00:00.000Z'
  for (const { section, line } of samples()) {
    if (section === 'The registry alone') continue
    const { timestamp: _, by: __, epoch, ...event } = SessionEvent.parse(JSON.parse(line))
    const framed = frame(event as Parameters<typeof frame>[0], 'daemon', epoch, timestamp)
    t.ok(framed.startsWith(`{"type":"${event.type}","timestamp":"${timestamp}","by":"daemon"`), event.type)
    t.same(JSON.parse(framed), { ...JSON.parse(line), timestamp, by: 'daemon' })
    const { type, ...fields } = event
    const shuffled = frame({ ...fields, type } as Parameters<typeof frame>[0], 'daemon', epoch, timestamp)
    t.same(JSON.parse(shuffled), JSON.parse(framed), `${event.type}: also where the type comes last`)
    t.ok(shuffled.startsWith(`{"type":"${event.type}"`))
  }
  t.equal(
    frame({ type: 'cancel_requested' }, 'user', undefined, 't'),
    '{"type":"cancel_requested","timestamp":"t","by":"user"}',
  )
})

// Plain text is framed by hand, for speed: what of it needs an escape must get one.
t.test('any text comes back from its line', async () => {
  const hard = fc.constantFrom(
    '"',
    '\\',
    '\n',
    '\0',
    '\x18',
    '\x1f',
    '\x7f',
    '\u2028',
    '\ud800',
    'é',
    '€',
    '👩‍👧',
    '$&',
    '</',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(hard).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('stdout' as const, 'stderr' as const), (content, stream) => {
      const event = { type: 'text' as const, stream, content }
      if (framer('agent', 3, 't')(event) !== frame(event, 'agent', 3, 't')) throw new Error('the quick way differs')
      for (const framed of [event, { type: 'thinking' as const, content }, { type: 'system' as const, content }]) {
        const line = frame(framed, 'agent', 3, 't')
        if (line.includes('\n')) throw new Error('a newline is in the line')
        const expected = { ...framed, timestamp: 't', by: 'agent', epoch: 3 }
        const back: Record<string, unknown> = JSON.parse(line)
        if (Object.keys(back).length !== Object.keys(expected).length) throw new Error('fields differ')
        if (back.content !== content || back.epoch !== 3 || back.type !== framed.type) throw new Error('it differs')
        if (lineKind(Buffer.from(line), 0, Buffer.byteLength(line)) !== 'record') throw new Error('it is no record')
      }
    }),
    { numRuns: 500 },
  )
})
