/** A model without a model: it plays a script through the same interface, so that all around it is the real thing. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Line, nextLine, type Scene } from './demo-script.js'
import type { Model } from './model.js'

type Options = Parameters<Model['doStream']>[0]
type Part = Awaited<ReturnType<Model['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never

/** Between two words, so that a person sees them come; none if the prompt asks for it. */
const PAUSE_MS = 60

export const demoModel: Model = {
  specificationVersion: 'v3',
  provider: 'agentz',
  modelId: 'scripted',
  supportedUrls: {},
  async doStream(options) {
    const scene = sceneOf(options)
    const pauseMs = scene.said.some((text) => /\bfast\b/i.test(text)) ? 0 : PAUSE_MS
    return { stream: streamOf(play(nextLine(scene), pauseMs, options.abortSignal)) }
  },
  doGenerate: () => Promise.reject(new Error('The demonstration streams only')),
}

async function* play({ thought, text, call }: Line, pauseMs: number, signal?: AbortSignal): AsyncGenerator<Part> {
  yield { type: 'stream-start', warnings: [] }
  for (const [type, words] of [
    ['reasoning', thought],
    ['text', text],
  ] as const) {
    if (words === undefined) continue
    yield { type: `${type}-start`, id: type }
    for (const delta of words.match(/\S+\s*/g) ?? []) {
      if (pauseMs > 0) await delay(pauseMs, undefined, signal && { signal })
      yield { type: `${type}-delta`, id: type, delta }
    }
    yield { type: `${type}-end`, id: type }
  }
  if (call !== undefined) {
    yield { type: 'tool-call', toolCallId: 'call', toolName: call.name, input: JSON.stringify(call.input) }
  }
  const unified = call === undefined ? 'stop' : 'tool-calls'
  yield { type: 'finish', finishReason: { unified, raw: unified }, usage: nothing }
}

/** Tokens are a matter of models. */
const nothing: Extract<Part, { type: 'finish' }>['usage'] = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
}

function streamOf(parts: AsyncGenerator<Part>): ReadableStream<Part> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

function sceneOf({ prompt, tools = [] }: Options): Scene {
  const said: string[] = []
  let results: Scene['results'][number][] = []
  for (const message of prompt) {
    if (message.role === 'user') {
      said.push(message.content.map((part) => (part.type === 'text' ? part.text : '')).join(''))
      results = []
    }
    if (message.role === 'tool') results.push(...message.content.map(resultOf))
  }
  return { said, results, tools: tools.map(({ name }) => name) }
}

type ToolPart = Extract<Options['prompt'][number], { role: 'tool' }>['content'][number]

function resultOf(part: ToolPart): Scene['results'][number] {
  const output = part.type === 'tool-result' ? part.output : undefined
  if (output?.type === 'execution-denied') return { denied: true, text: output.reason ?? '' }
  return { denied: false, text: output !== undefined && 'value' in output ? String(output.value) : '' }
}
