/** Lines of agents that are JSON, or nearly. */
import t from 'tap'
import { parseObject, text } from '../../src/agents/json.js'

const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

t.test('an object, and nothing else', async (t) => {
  t.same(parseObject('{"a":[1]}'), { a: [1] })
  for (const line of ['', '[]', 'text', '{', '{"a":1}}', '"{}"']) t.equal(parseObject(line), undefined, line)
})

t.test('as text, whatever it is', async (t) => {
  const table = [
    ['a', 'a'],
    [1, '1'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[{ toString: 0 }], '[{"toString":0}]'],
  ]
  for (const [given, shown] of table) t.equal(text(given), shown)
})

t.test('what is parsed can be written again, however deep the line goes', async (t) => {
  for (const depth of [10, 900]) t.ok(JSON.stringify(parseObject(`{"a":${nested(depth)}}`)), String(depth))
  for (const depth of [1001, 5000, 1_000_000]) t.equal(parseObject(`{"a":${nested(depth)}}`), undefined, String(depth))
  t.equal(parseObject(nested(5000, '{"a":', '}').replace(':}', ':0}')), undefined)
  t.equal(parseObject(nested(5000, '{"\\\\":', '}').replace(':}', ':0}')), undefined)
})

t.test('brackets in text are text', async (t) => {
  for (const text of ['['.repeat(5000), `\\"${'{"'.repeat(5000)}`, `${'\\'.repeat(3001)}${'['.repeat(5000)}`]) {
    t.same(parseObject(JSON.stringify({ text, more: 1 })), { text, more: 1 })
  }
  t.same(parseObject(JSON.stringify({ list: Array(5000).fill([{}]) })), { list: Array(5000).fill([{}]) })
})
