/** Our own agent, as the Agent Client Protocol has it. One process holds one conversation at a time. */
import { randomUUID } from 'node:crypto'
import { agent, methods, PROTOCOL_VERSION, RequestError } from '@agentclientprotocol/sdk'
import { errno } from '../../base/errors.js'
import { homePaths } from '../../base/paths.js'
import { version } from '../../base/programs.js'
import { blockText } from '../acp/content.js'
import { type Json, object, objects, string } from '../json.js'
import { Client } from './client.js'
import { badParams, requestFailure } from './failure.js'
import { History } from './history.js'
import { modelSource } from './model.js'
import { isChatMode, modeState } from './modes.js'
import { replay } from './replay.js'
import { Session } from './session.js'
import { Place } from './tools/place.js'
import { Turn } from './turn.js'

const { initialize, session: calls } = methods.agent
/** In no stable version of the protocol, and yet what clients with a choice of models call. */
const SET_MODEL = 'session/set_model'

export class ChatAgent {
  readonly app = agent({ name: 'agentz' })
  readonly #name: string
  readonly #env: NodeJS.ProcessEnv
  #session: Session | undefined

  constructor(name: string, env: NodeJS.ProcessEnv) {
    this.#name = name
    this.#env = env
    this.app
      .onRequest(initialize, () => this.#hello())
      .onRequest(calls.new, ({ params }) => this.#begin(object(params)))
      .onRequest(calls.resume, ({ params }) => this.#comeBack(object(params)))
      .onRequest(calls.load, async ({ params, client }) => {
        const answer = this.#comeBack(object(params))
        const { history, id } = this.#of(params.sessionId)
        await replay(history.records, new Client(client, id))
        return answer
      })
      .onRequest(calls.setMode, ({ params }) => this.#setMode(params.sessionId, params.modeId))
      .onRequest(SET_MODEL, object, ({ params }) => this.#setModel(params))
      .onRequest(calls.prompt, ({ params, client }) => {
        const text = objects(params.prompt).map(blockText).join('\n\n')
        return this.#prompt(params.sessionId, text, object(params._meta), (id) => new Client(client, id))
      })
      .onNotification(calls.cancel, ({ params }) => {
        if (params.sessionId === this.#session?.id) this.#session.cancel()
      })
  }

  /** Ends what runs, and leaves in the history what is open. Resolves when it is gone. */
  async leave(): Promise<void> {
    await this.#session?.leave()
  }

  #hello() {
    return {
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: { name: `agentz-${this.#name}`, title: `agentz ${this.#name}`, version: version() },
      agentCapabilities: { loadSession: true, sessionCapabilities: { resume: {} } },
      authMethods: [],
    }
  }

  #begin(params: Json) {
    const id = randomUUID()
    const session = this.#open(params, () => History.begin(this.#file(id), id))
    return { sessionId: id, ...stateOf(session) }
  }

  #comeBack(params: Json) {
    const id = string(params.sessionId) ?? ''
    const session = this.#open(params, () => {
      const history = History.find(this.#file(id), id)
      if (history === undefined) throw RequestError.sessionNotFound(id)
      return history
    })
    return { ...stateOf(session), _meta: { 'agentz/messages': session.history.messageIds } }
  }

  #open(params: Json, history: () => History): Session {
    if (this.#session?.isBusy) throw RequestError.invalidRequest(undefined, 'a turn of another session runs')
    try {
      const source = modelSource(this.#name, this.#env)
      const place = placeOf(string(params.cwd) ?? '', homePaths(this.#env.AGENTZ_HOME || undefined).root)
      const model = string(object(params._meta)['agentz/model'])
      const session = new Session(history(), place, source, model, this.#env)
      this.#session?.history.close()
      this.#session = session
      return session
    } catch (error) {
      throw requestFailure(error)
    }
  }

  #setMode(id: string, mode: string) {
    const session = this.#of(id)
    if (!isChatMode(mode)) throw badParams(`There is no mode ${mode}`)
    session.mode = mode
    return {}
  }

  #setModel({ sessionId, modelId }: Json) {
    const session = this.#of(string(sessionId) ?? '')
    if (typeof modelId !== 'string' || modelId === '') throw badParams('modelId names no model')
    session.modelName = modelId
    return {}
  }

  async #prompt(id: string, text: string, meta: Json, clientOf: (id: string) => Client) {
    const session = this.#of(id)
    if (session.isBusy) throw RequestError.invalidRequest(undefined, 'the last prompt has not been answered yet')
    const prompt = { messageId: string(meta['agentz/messageId']), text, nudge: meta['agentz/continue'] === true }
    try {
      return await session.during(async (stop) => {
        const turn = new Turn(session, clientOf(id), stop)
        const stopReason = await turn.run(prompt)
        return { stopReason, _meta: { 'agentz/usage': turn.usage } }
      })
    } catch (error) {
      throw requestFailure(error)
    }
  }

  #of(id: string): Session {
    if (this.#session === undefined || this.#session.id !== id) throw RequestError.sessionNotFound(id)
    return this.#session
  }

  /** Where the conversation is kept: beside the file of the session of agentz that it belongs to, if it does. */
  #file(id: string): string {
    if (this.#env.AGENTZ_HISTORY) return this.#env.AGENTZ_HISTORY
    const { sessions } = homePaths(this.#env.AGENTZ_HOME || undefined)
    return `${sessions}/${this.#env.AGENTZ_SESSION_ID || id}.history`
  }
}

function placeOf(cwd: string, home: string): Place {
  try {
    return new Place(cwd, home)
  } catch (error) {
    throw badParams(`The working directory ${cwd} cannot be entered (${errno(error) ?? String(error)})`)
  }
}

function stateOf({ mode, modelName: modelId }: Session) {
  return {
    modes: modeState(mode),
    models: { currentModelId: modelId, availableModels: [{ modelId, name: modelId }] },
  }
}
