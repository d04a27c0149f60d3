/** The official conformance suite, whole, against a server that listens. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { tempDir } from '../../helpers/home.js'
import { start } from '../../helpers/program.js'
import { newServer } from '../helpers.js'

/** All of those of version 0.3.6 but its 6 of subscriptions, an extension that is asked for apart. */
const TESTS = 332
const POLL_MS = 500

const require = createRequire(import.meta.url)
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')
const suite = fileURLToPath(new URL('suite', import.meta.url))

interface Report {
  readonly testResults: {
    readonly assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

t.test('the official suite', { timeout: 180_000 }, async (t) => {
  const { url } = await newServer(t, { sharing: { origins: [], public: true, pollMs: POLL_MS } })
  const report = join(tempDir(t), 'report.json')
  const argv = [process.execPath, vitest, 'run', '--root', suite, '--reporter=json', `--outputFile=${report}`]
  const { stderr } = await start(t, argv, { STREAMS_URL: url, STREAMS_POLL_MS: String(POLL_MS) }).ended
  const { testResults }: Report = JSON.parse(readFileSync(report, 'utf8'))
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  const other = results.filter(({ status }) => status !== 'passed' && status !== 'skipped')
  for (const { fullName, failureMessages } of other) t.fail(`${fullName}: ${failureMessages.join('\n').slice(0, 2000)}`)
  const skipped = results.filter(({ status }) => status === 'skipped')
  t.equal(skipped.length, 6, 'the extension alone is left out')
  t.ok(skipped.every(({ fullName }) => fullName.startsWith('Reserved subscription APIs')))
  t.equal(results.length - skipped.length - other.length, TESTS, `all passed; ${stderr.slice(-500)}`)
})
