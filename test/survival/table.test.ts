/** The survival table and the tests of this directory name the same rows. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { readRows } from './row.js'

const directory = new URL('.', import.meta.url)

t.test('every row has its test, and every test its row', async (t) => {
  const rows = readRows()
  const proved = new Map<string, string>()
  for (const name of readdirSync(directory).filter((each) => each.endsWith('.test.ts'))) {
    const text = readFileSync(new URL(name, directory), 'utf8')
    for (const [, id = ''] of text.matchAll(/^survives\(\s*'([a-z-]+)'/gm)) {
      t.notOk(proved.has(id), `${id} is proved once`)
      proved.set(id, `test/survival/${name}`)
    }
  }
  t.ok(rows.length >= 25, `${rows.length} rows`)
  t.equal(new Set(rows.map(({ id }) => id)).size, rows.length, 'ids are unique')
  for (const { id, file } of rows) t.equal(proved.get(id), file, `${id} links to its test`)
  t.strictSame(
    [...proved.keys()].filter((id) => !rows.some((row) => row.id === id)),
    [],
    'no test without a row',
  )
})

t.test('a line that is no row is refused', async (t) => {
  const head =
    '| fault | session | events | status | systemd | launchd | plain | test |\n| - | - | - | - | - | - | - | - |\n'
  const row = '| a | b | c | d | ✔ | n/a: no | once | [`x-y`](test/survival/z.test.ts) |'
  t.strictSame(readRows(`${head}${row}\n\n`), [
    { id: 'x-y', file: 'test/survival/z.test.ts', cells: { systemd: '✔', launchd: 'n/a: no', plain: 'once' } },
  ])
  t.throws(() => readRows(`${head}| a | b |\n\n`), /not a row/)
  t.throws(() => readRows('nothing'), /no table/)
})
