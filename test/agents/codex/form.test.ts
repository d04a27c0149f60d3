import t from 'tap'
import { fieldsOf, filledIn } from '../../../src/agents/codex/form.js'

t.test('fields of a form', async (t) => {
  const fields = fieldsOf({ properties: { name: { type: 'string' }, age: { type: 'integer' } } })
  t.same(fields, [
    { name: 'name', type: 'string' },
    { name: 'age', type: 'integer' },
  ])
  t.same(filledIn(fields, 'Bob'), { name: 'Bob' })
  t.same(filledIn(fields, ' {"name":"Bob","age":7}'), { name: 'Bob', age: 7 })
  t.same(filledIn(fields, '{"other":1}'), { name: '{"other":1}' })
  t.same(fieldsOf(undefined), [])
  t.same(filledIn([], 'x'), {})
})

t.test('an answer has the type that the field asks for', async (t) => {
  const one = (type: string, answer: string) => filledIn([{ name: 'x', type }], answer).x
  t.equal(one('boolean', 'Yes'), true)
  t.equal(one('boolean', 'no'), false)
  t.equal(one('number', ' 1.5 '), 1.5)
  t.equal(one('integer', 'seven'), 'seven')
  t.equal(one('number', ''), '')
  t.equal(one('string', '7'), '7')
})
