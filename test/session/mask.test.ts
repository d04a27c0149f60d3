import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { Mask, secretsOf } from '../../src/session/mask.js'

const frame = { type: 'tool_result', timestamp: '2026-01-01T00:00:00.000Z', by: 'agent', epoch: 3 }
const lineOf = (fields: object) => JSON.stringify({ ...frame, ...fields })
const masked = (content: string, ...secrets: string[]): string =>
  JSON.parse(new Mask(secrets).line(lineOf({ content }))).content

/** Put together here, so that nobody who looks for keys finds some in this file. */
const digits = '0123456789'.repeat(6)
const mixed = `aB3${digits}`
const pem = (lines: string[], label = 'RSA PRIVATE KEY') =>
  `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
const keyLines = ['MIIEowIBAAKCAQEA'.repeat(4), 'q83vEjRWeJCrze8S'.repeat(4), 'Zm9v==']
const keys: Record<string, string> = {
  openai: `sk-proj-${mixed}`,
  anthropic: `sk-ant-api03-${mixed}`,
  cerebras: `csk-${digits.slice(0, 40)}`,
  stripe: `sk_live_${mixed.slice(0, 24)}`,
  github: `ghp_${mixed.slice(0, 36)}`,
  'github app': `ghs_${mixed.slice(0, 36)}`,
  'github fine': `github_pat_${mixed}`,
  gitlab: `glpat-${mixed.slice(0, 20)}`,
  aws: `AKIA${'ABCD0123'.repeat(2)}`,
  google: `AIza${mixed.slice(0, 35)}`,
  slack: `xoxb-${digits.slice(0, 12)}-${mixed.slice(0, 20)}`,
  jwt: `eyJ${mixed.slice(0, 20)}.eyJ${mixed.slice(0, 20)}.${mixed.slice(0, 30)}`,
  pem: pem(keyLines).trimEnd(),
}

for (const [kind, key] of Object.entries(keys)) {
  t.test(`a key that tells itself: ${kind}`, async (t) => {
    for (const [before, after] of [
      ['', ''],
      ['the key is ', ', they say.'],
      ['\n', '\n'],
      ['KEY=', ' next'],
      ['{"key":"', '"}'],
      ['\t\\', ' '],
      ["('", "')"],
      // A line of JSON inside of text, and a diff.
      ['{"a":"x\\n', '\\n"}'],
      ['-', '\n'],
      ['@@ -1 +1 @@\n-', '\n'],
      ['+', '\n+next'],
    ]) {
      t.equal(masked(`${before}${key}${after}`), `${before}[masked]${after}`)
    }
  })
}

t.test('keys in a header keep the word before them', async (t) => {
  t.equal(masked('curl -H "Authorization: Bearer ab12cd34ef56gh"'), 'curl -H "Authorization: Bearer [masked]"')
  t.equal(masked('Authorization: Basic dXNlcjpwYXNz'), 'Authorization: Basic [masked]')
  t.equal(masked('{"authorization":"token abcdefgh"}'), '{"authorization":"token [masked]"}')
})

t.test('a private key that was cut, and one inside JSON inside of text', async (t) => {
  t.equal(masked(`x ${pem(keyLines).slice(0, 120)}`), 'x [masked]')
  const file = JSON.stringify({ private_key: pem(keyLines), client: 'c' })
  t.equal(masked(file), '{"private_key":"[masked]\\n","client":"c"}')
  t.equal(masked(pem(keyLines, 'PUBLIC KEY')), pem(keyLines, 'PUBLIC KEY'))
})

t.test('ordinary text is not eaten', async (t) => {
  const innocent = [
    'Bearer authentication is described in RFC 6750; bearer tokens are sent by the client.',
    'curl -H "Authorization: Bearer $TOKEN"; export KEY=$(cat key)',
    'task-runner-with-a-very-long-name-2 and risk-1234567890123456789012345',
    '.sk-fading-circle-container-wrapper { color: red }',
    'import sklearn; ask-anything; a 4e1f0f5b-9f0c-8e6d-a3b1-1c2d3e4f5a6b is a UUID',
    'commit 9fceb02d0ae598e95dc970b74767f19372d61af8 of AKIA, AIza and ASIA',
    'grep -rn -- "-----BEGIN PRIVATE KEY-----" . finds every key that somebody has left here',
    'eyJust.a.word, xox, ghp_, glpat-, sk-',
    '/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js:1234567',
  ]
  for (const text of innocent) t.equal(masked(text), text)
  const mask = new Mask([])
  for (let round = 0; round < 20; round++) {
    const picture = lineOf({ raw: { data: randomBytes(200_000).toString('base64') } })
    t.equal(mask.line(picture), picture)
    const hashes = lineOf({ content: randomBytes(20_000).toString('hex') })
    t.equal(mask.line(hashes), hashes)
  }
})

t.test('secrets with quotes, backslashes, newlines and other signs', async (t) => {
  for (const secret of [
    'pa"ss\\wo"rd',
    '\\\\\\\\nnnn',
    'line one of it\nline two\tof it',
    '$^.*+?()[]{}|/',
    'päßwörtchen😀',
  ]) {
    t.equal(masked(`<${secret}>`, secret), '<[masked]>')
    t.equal(masked(`\\${secret}"`, secret), '\\[masked]"')
  }
  t.equal(masked('a short one: 1234567', '1234567'), 'a short one: 1234567')
  t.equal(masked('abcdefgh-ijkl', 'abcdefgh', 'abcdefgh-ijkl'), '[masked]', 'the longer one goes first')
  const [first = ''] = keyLines
  t.equal(masked(`a line of it: ${first}`, pem(keyLines)), 'a line of it: [masked]')
})

/** In `around` the secret is one part of several, so that its base64 begins at each place of a group. */
const codings: Record<string, (secret: string, around: string) => string> = {
  'JSON inside of text': (secret) => JSON.stringify({ a: [secret] }),
  base64: (secret, around) => Buffer.from(`${around}${secret}`).toString('base64'),
  'base64 of an address': (secret, around) => Buffer.from(`${around}${secret}${around}`).toString('base64url'),
  'an address': (secret) => `https://h/?k=${encodeURIComponent(secret)}&x=1`,
  'an address, in small letters': (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  'a form': (secret) => new URLSearchParams({ secret }).toString(),
  'an address, every sign': (secret) =>
    [...secret]
      .map((sign) => (/\w/.test(sign) ? sign : Buffer.from(sign).toString('hex').replace(/../g, '%$&')))
      .join(''),
  'a diff': (secret) => `--- a\n+++ b\n@@ -1 +1 @@\n-KEY=${secret}\n+KEY=new`,
  'an escape of a terminal': (secret) => `\x1b[31m${secret}\x1b[0m`,
}

t.test('known values in other codings', async (t) => {
  const secrets = ['hunter2-hunter2', 'pa"ss wo\\rd+/=%', 'päßwort😀 of it', 'c2VjcmV0', '>>>???~~~~']
  for (const secret of secrets) {
    const mask = new Mask([secret, 'another-secret-of-many'])
    for (const [coding, code] of Object.entries(codings)) {
      for (const around of ['', 'u', 'me', 'me:', 'user:']) {
        const coded = code(secret, around)
        const content: string = JSON.parse(mask.line(lineOf({ content: `<${coded}>` }))).content
        t.match(content, /\[masked\]/, `${coding}: ${content}`)
        // Nothing is left but what was around it, and what its first and last sign have a part in.
        const left = content.replaceAll('[masked]', '').replace(/[<>]/g, '')
        t.ok(left.length <= code('', around).length + 4, `${coding}: ${left}`)
        t.notOk(content.includes(coded), coding)
      }
    }
    const plain = lineOf({ content: 'aHR0cHM6Ly9leGFtcGxlLm9yZw== %20 \\\\ what+is+none' })
    t.equal(mask.line(plain), plain)
  }
})

t.test('what is no string, and the words that programs read, stay', async (t) => {
  const mask = new Mask(['12345678', 'tool_result', 'completed', '2026-01-01T00', 'interrupted'])
  const line = lineOf({ input: 12345678, list: [12345678, { completed: 1 }] })
  t.equal(mask.line(line), line)
  const end = JSON.stringify({ ...frame, type: 'turn_ended', reason: 'completed', error: 'completed' })
  t.match(JSON.parse(mask.line(end)), { reason: 'completed', error: '[masked]' })
  t.match(JSON.parse(mask.line(lineOf({ reason: 'completed.' }))), { reason: '[masked].' })
})

// An agent that lists what it has found may use it as the name of a field.
t.test('names of fields hold no secret either; those of the event itself stay', async (t) => {
  const mask = new Mask(['hunter2hunter2', 'content'])
  const after = mask.line(lineOf({ content: 'x', input: { 'hunter2hunter2 ': { [`a "${keys.aws}"`]: 1 }, 'b\\': 2 } }))
  t.same(JSON.parse(after), { ...frame, content: 'x', input: { '[masked] ': { 'a "[masked]"': 1 }, 'b\\': 2 } })
})

t.test('a streamed secret of several words', async (t) => {
  const stream = (delta: string[], ...secrets: string[]) =>
    JSON.parse(new Mask(secrets).line(lineOf({ type: 'text', partial: true, delta }))).delta
  t.strictSame(stream(['correct ', 'horse ', 'staple ', 'x'], 'correct horse'), ['[masked] ', 'staple ', 'x'])
  t.strictSame(stream(['the ', 'key ', keys.aws ?? '']), ['the ', 'key ', '[masked]'])
  const words = `It is ${keys.pem} so.`.match(/\s+|\S+\s*/g) ?? []
  t.strictSame(stream(words), ['It ', 'is ', '[masked] ', 'so.'])
})

const secretText = fc
  .oneof(
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', 'u', '0', ' ', 'é', '{'), minLength: 8, maxLength: 12 }),
    fc.constantFrom(...Object.values(keys)),
  )
  // A secret that what stands in its place is a part of would be found again.
  .filter((secret) => !/[[\]]/.test(secret) && secret.trim().length >= 8)
const around = fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', 'u', '0', ' ', '\u0001', ',', ':', '=') })

const fieldName = fc.string({ unit: fc.constantFrom('a', '"', '\\', '_', '1'), maxLength: 4 })

/** Any JSON, with the secret in some of its strings and names of fields. */
const withSecret = secretText.chain((secret) => {
  const holding = fc.tuple(around, around).map(([before, after]) => `${before} ${secret} ${after}`)
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      holding,
      fc.string(),
      fc.double({ noNaN: true }),
      fc.constantFrom(null, true),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.oneof({ weight: 5, arbitrary: fieldName }, holding), tie('tree'), { maxKeys: 4 }),
    ),
  }))
  return fc.record({ secret: fc.constant(secret), content: holding, input: tree })
})

t.test('any event with any secret anywhere stays the same JSON without it', async (t) => {
  fc.assert(
    fc.property(withSecret, fc.boolean(), ({ secret, content, input }, told) => {
      const event = { ...frame, content, input }
      if (!told && !Object.values(keys).includes(secret)) return
      const after = JSON.parse(new Mask(told ? [secret] : []).line(JSON.stringify(event)))
      same(event, after, secret)
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

/** @throws where the two differ in more than strings that held the secret */
function same(before: unknown, after: unknown, secret: string): void {
  if (typeof before === 'string') {
    if (typeof after !== 'string') throw new Error('a string became something else')
    if (after.includes(secret)) throw new Error(`the secret stands there: ${JSON.stringify(after)}`)
    if (!before.includes(secret) && before !== after) throw new Error(`changed: ${JSON.stringify([before, after])}`)
  } else if (typeof before === 'object' && before !== null) {
    if (typeof after !== 'object' || after === null) throw new Error('an object became something else')
    if (Object.keys(after).some((name) => name.includes(secret))) throw new Error('the secret is the name of a field')
    const innocent = Object.entries(before).filter(([name]) => !name.includes(secret))
    if (innocent.some(([name]) => !Object.hasOwn(after, name))) throw new Error('other names')
    for (const [name, value] of innocent) same(value, (after as Record<string, unknown>)[name], secret)
  } else if (!Object.is(JSON.parse(JSON.stringify(before)), after)) throw new Error('another value')
}

t.test('which variables are secret', async (t) => {
  const secret = 's3cret-value'
  const names = ['ANTHROPIC_API_KEY', 'GH_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'DB_PASSWORD', 'PGPASSWD', 'OPENAI_APIKEY']
  for (const name of [...names, 'X_CREDENTIALS', 'PROXY_AUTH', 'GITHUB_PAT', 'npm_token']) {
    t.strictSame(secretsOf({ [name]: secret }), [secret], name)
  }
  for (const name of ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'GIT_AUTHOR_NAME', 'TOKEN_FILE', 'OPENAI_AUTH_URL', 'PATTERN']) {
    t.strictSame(secretsOf({ [name]: secret }), [], name)
  }
  t.strictSame(secretsOf({ API_KEY: 'short', MAX_TOKENS: '123456789', CODEX_AUTH: 'disabled', KEY: undefined }), [])
  t.strictSame(secretsOf({ GOOGLE_APPLICATION_CREDENTIALS: '/home/me/keys/google.json' }), [])
  t.strictSame(secretsOf({ AWS_SECRET_ACCESS_KEY: '/abc/DEFGHIJKLMNOPQ/RST' }), ['/abc/DEFGHIJKLMNOPQ/RST'])
  t.strictSame(secretsOf({ API_KEY: ' padded-value\n' }), ['padded-value'])
  t.strictSame(secretsOf({ HTTPS_PROXY: 'http://me:p%40ssw0rd1@proxy:3128' }), ['p%40ssw0rd1', 'p@ssw0rd1'])
})

t.test('floods, and lines that are made to be slow', async (t) => {
  const mask = new Mask(['zQ9kdfjg8345hkjdfg', 'another-Secret-value', 'a third one of words'])
  const plain = Array.from({ length: 1000 }, (_, n) => lineOf({ type: 'text', content: `line ${n}` }))
  const begun = performance.now()
  for (let round = 0; round < 200; round++) for (const line of plain) mask.line(line)
  const micros = ((performance.now() - begun) / 200_000) * 1000
  t.comment(`${micros.toFixed(3)} µs for a line of ${plain[0]?.length} characters`)
  t.ok(micros < 3, `${micros} µs`)
  const nasty = [
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    'eyJ',
    '-eyJaaaaaaaa.',
    'sk-aaaaaaaaa',
    'Bearer ',
    '\\"',
    '[{',
  ]
  for (const piece of nasty) {
    const start = performance.now()
    mask.line(lineOf({ content: `sk-proj-${mixed} ${piece.repeat(900_000 / piece.length)}` }))
    const ms = performance.now() - start
    // One that looked again from each place would take minutes; a busy machine takes a second.
    t.ok(ms < 20_000, `${JSON.stringify(piece)}: ${ms.toFixed(0)} ms`)
  }
})
