/**
 * A program that speaks stream-json as claude does, and does what its messages say:
 *
 *   say WORDS          answers so                      ask A B     asks to run A and B, both at once, then says what was decided
 *   question T|A|B     asks the person T, offers A, B   hold FILE   works until FILE exists
 *
 *   sh COMMAND      runs it, and says how it ended
 *
 * Anything else it repeats. Its costs are a cent a turn. With a directory in FAKE_CLAUDE_MEMORY, a turn that was cut short is what it
 * goes on with, whatever it is told.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** @param {object} line */
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
/** @type {{ text: string, uuid: string }[]} */
const messages = []
/** @type {Map<string, (response: Record<string, any>) => void>} */
const asked = new Map()
/** @type {(() => void) | undefined} */
let abort
let busy = false
let asks = 0
let cost = 0
let mode = 'default'

const { FAKE_CLAUDE_MEMORY, AGENTZ_SESSION_ID = '' } = process.env
const memory = FAKE_CLAUDE_MEMORY ? join(FAKE_CLAUDE_MEMORY, AGENTZ_SESSION_ID) : undefined

/** @param {string} text @returns {string} what is to be done */
function remembered(text) {
  if (memory === undefined) return text
  if (existsSync(memory)) return readFileSync(memory, 'utf8')
  writeFileSync(memory, text)
  return text
}

/** @param {string} tool @param {object} input @returns {Promise<Record<string, any>>} */
function permission(tool, input) {
  const requestId = `${process.pid}/${++asks}`
  const suggestions = [
    { type: 'addRules', rules: [{ toolName: tool }], behavior: 'allow', destination: 'localSettings' },
  ]
  tell({
    type: 'control_request',
    request_id: requestId,
    request: { subtype: 'can_use_tool', tool_name: tool, input, permission_suggestions: suggestions },
  })
  return new Promise((resolve) => asked.set(requestId, resolve))
}

/** @param {string} text @returns {Promise<string>} */
async function work(text) {
  const [verb = '', ...rest] = text.split(' ')
  if (verb === 'say') return rest.join(' ')
  if (verb === 'ask') {
    const answers = await Promise.all(rest.map((command) => permission('Bash', { command })))
    return answers.map(({ behavior, message = '' }, at) => `${rest[at]}: ${behavior} ${message}`.trim()).join(', ')
  }
  if (verb === 'question') {
    const [question = '', ...labels] = rest.join(' ').split('|')
    const questions = [{ question, options: labels.map((label) => ({ label })) }]
    const { updatedInput } = await permission('AskUserQuestion', { questions })
    return `the answer was ${updatedInput.answers[question]}`
  }
  if (verb === 'hold') {
    while (!existsSync(rest.join(' '))) await new Promise((resolve) => setTimeout(resolve, 10))
    return 'held'
  }
  if (verb === 'sh') {
    const child = spawn('sh', ['-c', rest.join(' ')], { stdio: 'ignore' })
    return new Promise((resolve) => child.once('exit', (code, signal) => resolve(`it ended: ${signal ?? code}`)))
  }
  return `you said: ${text.slice(0, 100)}`
}

async function next() {
  const message = messages[0]
  if (busy || message === undefined) return
  busy = true
  tell({ type: 'system', subtype: 'init', session_id: 'fake', permissionMode: mode, claude_code_version: '0' })
  const aborted = new Promise((resolve) => {
    abort = () => resolve(undefined)
  })
  tell({ type: 'user', isReplay: true, uuid: message.uuid })
  const text = await Promise.race([work(remembered(message.text)), aborted])
  if (memory !== undefined && typeof text === 'string') rmSync(memory, { force: true })
  cost += 0.01
  const common = { usage: { input_tokens: 10, output_tokens: 2 }, total_cost_usd: cost }
  if (typeof text === 'string') {
    tell({ type: 'assistant', message: { model: 'fake', content: [{ type: 'text', text }] } })
    tell({ type: 'result', is_error: false, ...common })
  } else tell({ type: 'result', is_error: true, terminal_reason: 'aborted_tools', ...common })
  messages.shift()
  busy = false
  await next()
}

/** @param {Record<string, any>} request */
function control({ request_id, request }) {
  if (request.subtype === 'set_permission_mode') mode = request.mode
  const response = request.subtype === 'set_permission_mode' ? { mode: request.mode } : {}
  tell({ type: 'control_response', response: { subtype: 'success', request_id, response } })
  if (request.subtype === 'interrupt') abort?.()
}

const input = createInterface({ input: process.stdin })
input.on('line', (line) => {
  const heard = JSON.parse(line)
  if (heard.type === 'control_request') control(heard)
  if (heard.type === 'control_response') asked.get(heard.response.request_id)?.(heard.response.response)
  if (heard.type !== 'user') return
  messages.push({ text: heard.message.content[0].text, uuid: heard.uuid })
  void next()
})
input.on('close', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))
