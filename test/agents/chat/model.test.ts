import t from 'tap'
import { modelSource } from '../../../src/agents/chat/model.js'

t.test('the vendor wants a key, and others may do without', async (t) => {
  t.throws(() => modelSource('cerebras', {}), { message: 'CEREBRAS_API_KEY is not set', login: true })
  t.throws(() => modelSource('cerebras', { CEREBRAS_API_KEY: '' }), { message: /is not set/, login: true })
  t.throws(() => modelSource('cerebras', { CEREBRAS_BASE_URL: 'https://api.cerebras.ai' }), {
    message: /is not set/,
    login: true,
  })
  t.equal(modelSource('cerebras', { CEREBRAS_API_KEY: 'k' }).defaultModel, 'gpt-oss-120b')
  const local = modelSource('cerebras', { CEREBRAS_BASE_URL: 'http://127.0.0.1:1', CEREBRAS_MODEL: 'mine' })
  t.equal(local.defaultModel, 'mine')
  t.equal(local.model('other').modelId, 'other')
  t.equal(modelSource('demo', {}).model('any').modelId, 'scripted')
})

t.test('an address that is none', async (t) => {
  for (const url of ['nowhere', 'ftp://host/v1', '/v1']) {
    t.throws(() => modelSource('cerebras', { CEREBRAS_BASE_URL: url }), { message: /no address/, login: false }, url)
  }
})
