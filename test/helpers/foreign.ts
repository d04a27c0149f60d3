/** JSON as somebody else may send it: what a reader that trusts its shape falls over comes often, and the rest is whatever there is. */
import fc from 'fast-check'

/** As it stands in a file: only a parser makes "__proto__" a key like any other, and an infinity of 1e400. */
const spelled = [
  '{"toString":0}',
  '{"valueOf":0,"toString":0}',
  '{"toJSON":1}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"length":-1}',
  '{"then":1}',
  '[{"toString":0}]',
  '[[[[[[[[[[[[]]]]]]]]]]]]',
  '[null]',
  '1e400',
  '-1e400',
  '-0',
  '9007199254740993',
  '1e308',
  '0.5',
  '-1',
  '5',
  'true',
  'null',
  '[]',
  '{}',
  '""',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"\\ud800"',
  '"x\\udc00"',
  '"\\u0000"',
  '"\\n"',
  '"NaN"',
  '"1e400"',
  '"2026-13-45T99:99:99Z"',
]

export const poison: fc.Arbitrary<unknown> = fc.constantFrom(...spelled).map((text): unknown => JSON.parse(text))

/** Any value of JSON. */
export const foreign: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: poison, weight: 3 },
  { arbitrary: fc.jsonValue({ noUnicodeString: false }), weight: 1 },
  { arbitrary: fc.tuple(fc.constantFrom('text', 'type', 'id', '__proto__', 'content'), poison).map(nested), weight: 1 },
)

function nested([key, value]: [string, unknown]): unknown {
  return JSON.parse(`[{${JSON.stringify(key)}:${JSON.stringify(value)}}]`)
}

/** Some of the keys, each with any value. */
export const foreignFields = (keys: readonly string[], value = foreign): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.constantFrom(...keys), value, { noNullPrototype: true })
