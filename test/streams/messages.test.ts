import fc from 'fast-check'
import t from 'tap'
import { linesOf } from '../../src/streams/messages.js'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

const lines = (body: string) => linesOf(Buffer.from(body)).toString().split('\n').slice(0, -1)

t.test('bytes of messages are kept', async (t) => {
  const one = '{"id":12345678901234567890,"f":1.0,"a":1,"a":2,"e":"\\u00e9é"}'
  t.strictSame(lines(one), [one])
  t.strictSame(lines(` \n[ ${one} ,\r\n [1, 2] , "a,]\\"[" , 1E400,null ]\n`), [
    ...[one, '[1, 2]', '"a,]\\"["', '1E400', 'null'],
  ])
  t.strictSame(lines('[]'), [])
  t.strictSame(lines('[\n]'), [])
  t.strictSame(lines('[[],[[]]]'), ['[]', '[[]]'])
  t.strictSame(lines('{"a":\n1,\r"b":"\\n"}'), ['{"a": 1, "b":"\\n"}'], 'newlines between tokens are blanks')
  t.strictSame(lines('"\\\\"'), ['"\\\\"'])
})

t.test('what is no JSON is refused', async (t) => {
  for (const body of ['', '{', '[1,]', '{"a":1}{"b":2}', '1\n2', '\ufeff1', 'NaN']) {
    t.throws(() => lines(body), { code: 'BAD_INPUT' }, JSON.stringify(body))
  }
  t.throws(() => linesOf(Buffer.from([0x22, 0xff, 0x22])), { code: 'BAD_INPUT' }, 'no UTF-8')
})

t.test('any array comes back as its elements', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { minLength: 1 }),
      fc.constantFrom(undefined, 1, '\t', '\n'),
      (values, space) => {
        const back = lines(JSON.stringify(values, undefined, space)).map((line) => JSON.parse(line))
        return JSON.stringify(back) === JSON.stringify(values)
      },
    ),
  )
  t.pass('all of them')
})

t.test('a body of many small messages takes little room', async (t) => {
  const contents = `
    import { linesOf } from './src/streams/messages.js'
    console.log(linesOf(Buffer.from('[' + '1,'.repeat(2_000_000) + '1]')).length)`
  const path = await program(tempDir(t), contents)
  const { stdout, code } = await start(t, [process.execPath, '--max-old-space-size=100', path]).ended
  t.equal(code, 0)
  t.equal(stdout, '4000002\n')
})
