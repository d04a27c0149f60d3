/**
 * The stand-in as a process: an HTTP server on a Unix socket, since curl starts faster than node, which is asked with the words of
 * launchctl, each with a NUL behind it, and answers with a script of sh. It ends, with all its jobs, when its standard input does.
 */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { shellWords } from '../../src/base/shell.js'
import { Launchd, type Setting } from './launchd.js'

const [, , socket = '', setting = ''] = process.argv
const launchd = new Launchd(JSON.parse(setting) as Setting, (label) => process.stdout.write(`loaded ${label}\n`))

const server = createServer(async (request, response) => {
  // Whoever asked was killed meanwhile, and wants no answer.
  response.on('error', () => undefined)
  try {
    const words = (await text(request)).split('\0').slice(0, -1)
    const { status, stdout = '', stderr = '' } = await launchd.answer(words)
    const say = (what: string) => shellWords(['printf', '%s', what])
    response.end(`${say(stdout)}\n${say(stderr)} >&2\nexit ${status}\n`)
  } catch (error) {
    // A defect of the stand-in itself: nothing that launchd would answer.
    response.end(`${shellWords(['echo', String(error)])} >&2\nexit 99\n`)
  }
})
server.listen(socket, () => process.stdout.write('ready\n'))

process.stdin.resume()
process.stdin.once('end', async () => {
  await launchd.end()
  process.exit(0)
})
