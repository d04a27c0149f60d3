/** Which model answers: one behind an API that speaks chat completions, or the scripted one. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { LanguageModel } from 'ai'
import { demoModel } from './demo-model.js'
import { fetchStream } from './fetch.js'

/** What implements a model; the name of one alone is none. */
export type Model = Extract<LanguageModel, { specificationVersion: 'v3' }>
export type Env = Readonly<Record<string, string | undefined>>

const VENDOR = 'https://api.cerebras.ai/v1'
const DEFAULT_MODEL = 'gpt-oss-120b'

/** What must be set right before there can be a conversation. */
export class SettingError extends Error {
  /** Nobody is logged in: there is no key. */
  readonly login: boolean

  constructor(message: string, login: boolean) {
    super(message)
    this.login = login
  }
}

export interface Source {
  /** The name of the model that is used if nobody names another. */
  readonly defaultModel: string
  model(name: string): Model
}

/** @throws SettingError */
export function modelSource(agent: string, env: Env): Source {
  if (agent === 'demo') return { defaultModel: demoModel.modelId, model: () => demoModel }
  const baseURL = endpoint(env.CEREBRAS_BASE_URL || VENDOR)
  const apiKey = env.CEREBRAS_API_KEY || undefined
  if (apiKey === undefined && new URL(baseURL).hostname === new URL(VENDOR).hostname) {
    throw new SettingError('CEREBRAS_API_KEY is not set', true)
  }
  const provider = createOpenAICompatible({
    ...{ name: 'cerebras', baseURL, includeUsage: true, fetch: fetchStream },
    ...(apiKey && { apiKey }),
  })
  return { defaultModel: env.CEREBRAS_MODEL || DEFAULT_MODEL, model: (name) => provider.chatModel(name) }
}

/** Some clients want the version in the URL and others add it: both sorts of URL are meant well. */
function endpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new SettingError(`CEREBRAS_BASE_URL is no address of a server: ${text}`, false)
  }
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = /\/v\d/.test(path) ? path : `${path}/v1`
  return url.href
}
