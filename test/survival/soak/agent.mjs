/**
 * The agent of the soak: speaks stream-json as claude does, keeps a history where claude keeps it, and writes down what it was given and what it said
 * before it says it, so that the checker can hold the log against it. "work N TOKEN" says N pieces; "ask TOKEN" asks first; all else is repeated.
 */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const flag = Math.max(process.argv.indexOf('--resume'), process.argv.indexOf('--session-id'))
const nativeId = process.argv[flag + 1] ?? 'none'
const home = process.env.HOME ?? '/nonexistent'
const project = join(home, '.claude', 'projects', process.cwd().replace(/[^A-Za-z0-9]/g, '-'))
const notes = join(home, 'notes')
mkdirSync(project, { recursive: true })
mkdirSync(notes, { recursive: true })

/** @param {object} line */
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
/** @param {object} line */
const note = (line) =>
  appendFileSync(
    join(notes, `${process.env.AGENTZ_SESSION_ID}.ndjson`),
    `${JSON.stringify({ pid: process.pid, ...line })}\n`,
  )
/** @param {string} text */
const say = (text) => {
  note({ said: text })
  tell({ type: 'assistant', message: { model: 'soak', content: [{ type: 'text', text }] } })
}
/** @type {{ text: string, uuid: string, line: string }[]} */
const messages = []
/** @type {Map<string, () => void>} */
const asked = new Map()
let busy = false
let asks = 0

/** @param {string} token */
function permission(token) {
  const requestId = `${process.pid}/${++asks}`
  const request = { subtype: 'can_use_tool', tool_name: 'Bash', input: { command: token } }
  tell({ type: 'control_request', request_id: requestId, request })
  return new Promise((resolve) => asked.set(requestId, () => resolve(undefined)))
}

/** @param {string} text */
async function work(text) {
  const [verb, first = '', token = ''] = text.split(' ')
  if (verb === 'ask') await permission(first)
  if (verb !== 'work') return say(`heard ${text.slice(0, 60)}`)
  for (let piece = 1; piece <= Number(first); piece++) {
    await new Promise((resolve) => setTimeout(resolve, 40))
    say(`${token} ${piece} of ${first}`)
  }
}

async function next() {
  const message = messages[0]
  if (busy || message === undefined) return
  busy = true
  // As claude does: what waits is in no history, and is lost with the process.
  note({ got: message.uuid, text: message.text })
  appendFileSync(join(project, `${nativeId}.jsonl`), `${message.line}\n`)
  tell({ type: 'system', subtype: 'init', session_id: nativeId, permissionMode: 'default', claude_code_version: '0' })
  tell({ type: 'user', isReplay: true, uuid: message.uuid })
  await work(message.text)
  tell({ type: 'result', is_error: false, usage: { input_tokens: 1, output_tokens: 1 }, total_cost_usd: 0 })
  messages.shift()
  busy = false
  await next()
}

const input = createInterface({ input: process.stdin })
input.on('line', (line) => {
  const heard = JSON.parse(line)
  if (heard.type === 'control_request') {
    const { request_id, request } = heard
    const response = request.subtype === 'set_permission_mode' ? { mode: request.mode } : {}
    tell({ type: 'control_response', response: { subtype: 'success', request_id, response } })
  }
  if (heard.type === 'control_response') asked.get(heard.response.request_id)?.()
  if (heard.type !== 'user') return
  messages.push({ text: heard.message.content[0].text, uuid: heard.uuid, line })
  void next()
})
input.on('close', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))
