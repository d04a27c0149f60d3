/**
 * What the agent says of the session that it holds: mode, model, version. The protocol has two ways for modes and models: lists of
 * their own, and options of which one has the category `mode` or `model`.
 */
import type { AgentEvent, EventOf } from '../../session/events.js'
import { short } from '../cut.js'
import { isObject, type Json, object, objects, string } from '../json.js'
import type { Profile } from './profile.js'

/** A thing that can be chosen. */
export interface Choice {
  /** The option that holds it; absent where it has a list of its own. */
  readonly configId?: string
  readonly available: readonly string[]
  current: string | undefined
}

export class AcpSession {
  nativeId = ''
  version: string | undefined
  mode: Choice | undefined
  model: Choice | undefined
  readonly #profile: Profile
  readonly #wanted: string | undefined
  #told = ''

  /** @param wanted the permission mode, in our words */
  constructor(profile: Profile, wanted: string | undefined) {
    this.#profile = profile
    this.#wanted = wanted
  }

  /** Takes up what an answer, or an update, holds. */
  take(answer: Json): void {
    const { modes, models, configOptions } = answer
    if (isObject(modes)) this.mode = listed(modes, 'availableModes', 'id', 'currentModeId')
    if (isObject(models)) this.model = listed(models, 'availableModels', 'modelId', 'currentModelId')
    for (const option of objects(configOptions)) {
      if (option.category === 'mode') this.mode = chosen(option)
      if (option.category === 'model') this.model = chosen(option)
    }
  }

  /** An update that tells of the session and not of a turn. @returns whether it is one */
  hear(update: Json): boolean {
    switch (update.sessionUpdate) {
      case 'current_mode_update':
        this.#setMode(string(update.currentModeId))
        return true
      case 'config_option_update':
        this.take(update)
        return true
      case 'available_commands_update':
      case 'session_info_update':
        return true
      case 'agent_message_chunk': {
        const [, mode] = this.#profile.modeNews?.exec(string(object(update.content).text) ?? '') ?? []
        if (mode !== undefined) this.#setMode(mode)
        return mode !== undefined
      }
      default:
        return false
    }
  }

  /** `agent_session`, if there is news. */
  news(): AgentEvent[] {
    const event: Omit<EventOf<'agent_session'>, 'timestamp' | 'by'> = {
      type: 'agent_session',
      nativeId: short(this.nativeId),
      ...(this.model?.current === undefined ? {} : { model: short(this.model.current) }),
      ...(this.mode?.current === undefined ? {} : { permissionMode: this.#ours(this.mode.current) }),
      ...(this.version === undefined ? {} : { agentVersion: short(this.version) }),
    }
    const text = JSON.stringify(event)
    if (this.#told === text) return []
    this.#told = text
    return [event]
  }

  /** Our word for its mode. One word of its own may stand for several of ours, that are told apart when it starts. */
  #ours(native: string): string {
    const ours = Object.entries(this.#profile.modes ?? {}).filter(([, its]) => its === native)
    const [word] = ours.find(([our]) => our === this.#wanted) ?? ours[0] ?? [native]
    return short(word)
  }

  #setMode(current: string | undefined): void {
    if (current !== undefined) this.mode = { available: [], ...this.mode, current }
  }
}

function listed(list: Json, all: string, id: string, current: string): Choice {
  const available = objects(list[all]).flatMap((entry) => string(entry[id]) ?? [])
  return { available, current: string(list[current]) }
}

/** Options may stand in groups. */
function chosen({ id, currentValue, options }: Json): Choice {
  const values = objects(options).flatMap((option) => ('value' in option ? [option] : objects(option.options)))
  return {
    configId: string(id) ?? '',
    available: values.flatMap(({ value }) => string(value) ?? []),
    current: string(currentValue),
  }
}
