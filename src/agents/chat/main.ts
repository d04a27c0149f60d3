/** The program chat.cjs: our own agent, on its standard streams. `chat.cjs cerebras` has a model, `chat.cjs demo` a script. */
import './frugal.js'
import { Readable, Writable } from 'node:stream'
import { ndJsonStream } from '@agentclientprotocol/sdk'
import { ChatAgent } from './agent.js'

const [, , name = ''] = process.argv
if (name !== 'cerebras' && name !== 'demo') {
  process.stderr.write('chat: say which agent to be: cerebras or demo\n')
  process.exit(2)
}
const chat = new ChatAgent(name, process.env)
const input = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>
const { closed } = chat.app.connect(ndJsonStream(Writable.toWeb(process.stdout), input))

/**
 * Whoever talks with us is gone, killed perhaps: what is open stays open in the history, for the next process. Tools end with this one.
 */
async function leave(): Promise<void> {
  await chat.leave()
  process.exit(0)
}

closed.then(leave, leave)
process.on('SIGTERM', leave)
process.on('SIGINT', leave)
