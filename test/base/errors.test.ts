import t from 'tap'
import { AgentzError, toAgentzError } from '../../src/base/errors.js'

t.test('an error of another bundle is one of ours', async (t) => {
  // A module is loaded once for each address.
  const again = '../../src/base/errors.js?again'
  const other = await import(again)
  const error = new other.AgentzError('CONFLICT', 'somebody was faster')
  t.not(other.AgentzError, AgentzError, 'it is another class')
  t.ok(error instanceof AgentzError)
  t.equal(toAgentzError(error), error)
})

t.test('what is none is a defect, and keeps what it was', async (t) => {
  for (const thrown of [new Error('boom'), 'boom', undefined, { name: 'AgentzError', hint: '', exit: 1 }]) {
    t.notOk((thrown as unknown) instanceof AgentzError)
    t.match(toAgentzError(thrown), { code: 'INTERNAL', exit: 1, http: 500, cause: thrown })
  }
})
