/** What an agent says out of turn may hold a key, and the journal is not the place for it. */
import t from 'tap'
import { journal } from '../../src/daemon/journal.js'
import { Mask } from '../../src/session/mask.js'

t.test('details are told, secrets are not', async (t) => {
  const said: [object, string][] = []
  const warn = journal({ warn: (detail, message) => void said.push([detail, message]) }, new Mask(['the-secret']))
  warn('it answers what nobody asked', { id: 7, result: { env: ['KEY=the-secret'] } })
  warn('it cannot be written to', new Error('the-secret is refused'))
  warn('nothing more is known')
  t.same(said, [
    [{ detail: { id: 7, result: { env: ['KEY=[masked]'] } } }, 'it answers what nobody asked'],
    [{ detail: '[masked] is refused' }, 'it cannot be written to'],
    [{}, 'nothing more is known'],
  ])
})
