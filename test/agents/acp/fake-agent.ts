/**
 * An ACP agent for tests, by the agent side of the SDK: what it does stands in the prompt, one word and its arguments. A program
 * of its own, bundled; `FAKE` in its environment says how it begins.
 */
import { writeFileSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import {
  type AgentContext,
  agent,
  type CreateElicitationRequest,
  methods,
  ndJsonStream,
  RequestError,
  type RequestPermissionRequest,
} from '@agentclientprotocol/sdk'

const how = new Set((process.env.FAKE ?? '').split(','))
const sessions = methods.client.session
const modes = (currentModeId: string) => ({
  availableModes: ['default', 'plan', 'yolo'].map((id) => ({ id, name: id })),
  currentModeId,
})
let cancelled: () => void = () => undefined
let turn = 0

const say = (client: AgentContext, update: object) =>
  client.notify(sessions.update, { sessionId: 'native', update } as never)
const text = (client: AgentContext, words: string, sessionUpdate = 'agent_message_chunk') =>
  say(client, { sessionUpdate, content: { type: 'text', text: words } })

async function replay(client: AgentContext): Promise<void> {
  await text(client, 'first', 'user_message_chunk')
  await text(client, 'an old answer')
  await say(client, { sessionUpdate: 'tool_call', toolCallId: 'old', title: 'old', status: 'completed' })
  await text(client, 'second', 'user_message_chunk')
}

async function ask(client: AgentContext): Promise<string> {
  const toolCallId = `tool-${turn}`
  const toolCall: RequestPermissionRequest['toolCall'] = {
    toolCallId,
    title: 'touch made',
    kind: 'execute',
    rawInput: { command: 'touch made' },
  }
  if (!how.has('late')) await say(client, { sessionUpdate: 'tool_call', ...toolCall, status: 'pending' })
  const request: RequestPermissionRequest = {
    ...{ sessionId: 'native', toolCall },
    options: [
      { optionId: 'y', name: 'Yes', kind: 'allow_once' },
      { optionId: 'a', name: 'Always', kind: 'allow_always' },
      { optionId: 'A', name: 'Always, everywhere', kind: 'allow_always' },
      ...(how.has('no-no') ? [] : [{ optionId: 'n', name: 'No', kind: 'reject_once' } as const]),
    ],
  }
  const { outcome, _meta } = await client.request(methods.client.session.requestPermission, request)
  const answer = `${outcome.outcome} ${'optionId' in outcome ? outcome.optionId : ''} ${JSON.stringify(_meta ?? null)}`
  const content = [{ type: 'content', content: { type: 'text', text: answer } }]
  await say(client, { sessionUpdate: 'tool_call_update', toolCallId, status: 'completed', content })
  return outcome.outcome
}

async function play(client: AgentContext, [word = '', ...rest]: string[]): Promise<string> {
  switch (word) {
    case 'ask':
      return (await ask(client)) === 'cancelled' ? 'cancelled' : 'end_turn'
    case 'form': {
      const requestedSchema = { type: 'object', properties: { colour: { type: 'string' } } } as const
      const asked: CreateElicitationRequest = {
        mode: 'form',
        sessionId: 'native',
        message: 'Which colour?',
        requestedSchema,
      }
      await text(client, JSON.stringify(await client.request(methods.client.elicitation.create, asked)))
      return 'end_turn'
    }
    case 'flood':
      for (let n = 0; n < Number(rest[0]); n++) {
        const sent = text(client, `tick${n} `)
        if (n % 100 === 0) await sent
      }
      return 'end_turn'
    case 'huge': {
      await say(client, { sessionUpdate: 'tool_call', toolCallId: 'huge', title: 'huge', status: 'in_progress' })
      const content = [{ type: 'content', content: { type: 'text', text: 'x'.repeat(Number(rest[0])) } }]
      await say(client, { sessionUpdate: 'tool_call_update', toolCallId: 'huge', status: 'completed', content })
      return 'end_turn'
    }
    case 'hang':
      await text(client, 'I begin. ')
      await new Promise<void>((resolve) => {
        cancelled = resolve
      })
      return 'cancelled'
    case 'silent':
      return new Promise(() => undefined)
    case 'garbage':
      process.stdout.write('no JSON\n{"jsonrpc":"2.0","id":99,"result":{}}\n[]\n{"method":"x"}\n')
      await client.notify('other/news', { x: 1 })
      await say(client, { sessionUpdate: 'of_the_future', x: 1 })
      await client.request('other/question', {}).catch((error) => text(client, String(error.code)))
      return 'end_turn'
    case 'die':
      await text(client, 'I die. ')
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => undefined)
    case 'mode':
      await say(client, { sessionUpdate: 'current_mode_update', currentModeId: rest[0] })
      return 'end_turn'
    case 'error':
      throw new RequestError(-32603, `Internal error: ${rest.slice(1).join(' ')}`, { status: Number(rest[0]) })
    case 'stop':
      return rest[0] ?? ''
    case 'withdraw': {
      const controller = new AbortController()
      const request = { sessionId: 'native', toolCall: { toolCallId: 'w', title: 'w' }, options: [] }
      const asked = client.request(sessions.requestPermission, request, { cancellationSignal: controller.signal })
      await text(client, 'I changed my mind.')
      controller.abort()
      await asked.catch(() => undefined)
      return 'end_turn'
    }
    default:
      await text(client, [word, ...rest].join(' '))
      return 'end_turn'
  }
}

const app = agent({ name: 'fake' })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: how.has('old') ? 0 : 1,
    agentInfo: { name: 'fake', version: '1.2.3' },
    agentCapabilities: {
      loadSession: !how.has('no-load'),
      ...(how.has('resume') ? { sessionCapabilities: { resume: {} } } : {}),
    },
  }))
  .onRequest(methods.agent.session.new, () => {
    if (how.has('auth')) throw RequestError.authRequired()
    if (how.has('exit')) process.exit(3)
    return { sessionId: 'native', ...(how.has('no-modes') ? {} : { modes: modes('yolo') }) }
  })
  .onRequest(methods.agent.session.load, async ({ client, params }) => {
    if (params.sessionId !== 'native') throw RequestError.resourceNotFound(params.sessionId)
    await replay(client)
    return { modes: modes('yolo') }
  })
  .onRequest(methods.agent.session.resume, ({ params }) => {
    if (params.sessionId !== 'native') throw RequestError.resourceNotFound(params.sessionId)
    return { modes: modes('yolo') }
  })
  .onRequest(methods.agent.session.setMode, async ({ client, params }) => {
    if (how.has('refuse')) throw new RequestError(-32603, 'Internal error', { details: 'not here' })
    const currentModeId = how.has('wrong') ? 'yolo' : params.modeId
    await say(client, { sessionUpdate: 'current_mode_update', currentModeId })
    if (process.env.FAKE_NOTE) writeFileSync(process.env.FAKE_NOTE, params.modeId, { flag: 'a' })
    return {}
  })
  .onRequest(methods.agent.session.prompt, async ({ client, params }) => {
    turn++
    const words = params.prompt.map((block) => ('text' in block ? block.text : '')).join('')
    const stopReason = await play(client, words.split(' '))
    const usage = { inputTokens: 10, outputTokens: 5, cachedReadTokens: 3, totalTokens: 18 }
    await say(client, {
      ...{ sessionUpdate: 'usage_update', used: 1, size: 2 },
      cost: { amount: turn / 4, currency: 'USD' },
    })
    return { stopReason: stopReason as 'end_turn', usage }
  })
  .onNotification(methods.agent.session.cancel, () => cancelled())

const input = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>
const { closed } = app.connect(ndJsonStream(Writable.toWeb(process.stdout), input))
closed.then(() => process.exit(0))
