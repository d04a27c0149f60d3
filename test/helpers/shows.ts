/** `show ID` and `show ID --json` of many sessions in one process, which a process each would make slow: a line of JSON for each id. */
import { verb } from '../../src/cli/show.js'

const write = process.stdout.write.bind(process.stdout)
let text = ''
process.stdout.write = ((chunk: string, done?: () => void) => {
  text += chunk
  done?.()
  return true
}) as typeof process.stdout.write

for (const id of process.argv.slice(2)) {
  const page = await printed({ id })
  write(`${JSON.stringify({ page, json: JSON.parse(await printed({ id, json: true })) })}\n`)
}

async function printed(args: { id: string; json?: boolean }): Promise<string> {
  text = ''
  await verb.handle({ _: [], $0: 'agentz', ...args }, [])
  return text
}
