/** How a conversation begins: initialize, a session (new or gone on with), its mode and its model, each set and read back. */
import { methods, PROTOCOL_VERSION } from '@agentclientprotocol/sdk'
import { DEFAULT_MODE } from '../../session/mode.js'
import type { Spec } from '../../session/spec.js'
import { isObject, type Json, object, string, text } from '../json.js'
import { died, isLogin, isUnknownSession, promptCause, StartFailure, sentence } from './failure.js'
import type { Link } from './link.js'
import type { Profile } from './profile.js'
import type { AcpSession, Choice } from './session.js'

const { initialize, session: calls } = methods.agent
/** Not in the stable protocol, and yet what agents with a list of models offer. */
const SET_MODEL = 'session/set_model'
/** A list of models may be long. */
const MOST_NAMES = 20

export interface Handshake {
  readonly link: Link
  readonly profile: Profile
  readonly spec: Pick<Spec, 'workingDir' | 'permissionMode' | 'model'>
  readonly session: AcpSession
}

export interface Begun {
  /** The session's history can be asked for. */
  readonly loads: boolean
  /** It has been replayed. */
  readonly replayed: boolean
  /** The answer that began the session. */
  readonly answer: Json
}

/** @throws StartFailure, or what closed the connection */
export async function begin(hands: Handshake, nativeId: string | undefined): Promise<Begun> {
  const { link, profile, session } = hands
  const hello = await told(hands, () => link.request(initialize, greeting))
  if (hello.protocolVersion !== PROTOCOL_VERSION) {
    throw died(`${profile.name} speaks version ${text(hello.protocolVersion)} of the Agent Client Protocol`, {
      result: 'agent',
    })
  }
  session.version = string(object(hello.agentInfo).version)
  const able = object(hello.agentCapabilities)
  const loads = able.loadSession === true
  const resumes = isObject(object(able.sessionCapabilities).resume)
  if (nativeId === undefined) {
    const answer = await told(hands, () => link.request(calls.new, place(hands)))
    session.nativeId = string(answer.sessionId) ?? ''
    session.take(answer)
    await settle(hands)
    return { loads, replayed: false, answer }
  }
  session.nativeId = nativeId
  if (!resumes && !loads) {
    throw new StartFailure({ kind: 'forgotten', error: `${profile.name} cannot go on with an earlier session` })
  }
  const answer = await comeBack(hands, resumes ? calls.resume : calls.load)
  return { loads, replayed: !resumes, answer }
}

/** Goes on with the session, by `session/load` or `session/resume`. */
export async function comeBack(hands: Handshake, method: string = calls.load): Promise<Json> {
  const { link, profile, session } = hands
  const params = { ...place(hands), sessionId: session.nativeId }
  try {
    const answer = await link.request(method, params)
    session.take(answer)
    await settle(hands)
    return answer
  } catch (error) {
    if (error instanceof StartFailure || link.isClosed) throw error
    if (isUnknownSession(error) || profile.forgets?.(object(error)) === true) {
      throw new StartFailure({ kind: 'forgotten', error: sentence(error) })
    }
    throw refused(profile, error)
  }
}

const greeting = {
  protocolVersion: PROTOCOL_VERSION,
  // Agents then read and write files and run commands themselves, under their own rules.
  clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false, elicitation: { form: {} } },
  clientInfo: { name: 'agentz', title: 'agentz', version: '1' },
}

const place = ({ spec }: Handshake) => ({ cwd: spec.workingDir, mcpServers: [] })

/** The mode is set at each start: what it is without that is the agent's own affair, and may change with its version. */
async function settle(hands: Handshake): Promise<void> {
  await setModel(hands)
  await setMode(hands)
}

async function setMode(hands: Handshake): Promise<void> {
  const { profile, session, spec } = hands
  const { mode } = session
  const word = spec.permissionMode ?? DEFAULT_MODE
  const native = profile.modes === undefined ? word : profile.modes[word as keyof typeof profile.modes]
  if (native === undefined || mode?.available.includes(native) !== true) {
    // An agent of a person's own may have no modes, or call them as it likes.
    if (profile.modes === undefined && spec.permissionMode === undefined) return
    const has = mode === undefined ? 'it has none' : `it has ${names(mode)}`
    throw died(`${profile.name} has no permission mode ${word}: ${has}`, { result: 'permission-mode' })
  }
  try {
    await choose(hands, mode, native, { method: calls.setMode, key: 'modeId' })
  } catch (error) {
    if (hands.link.isClosed) throw error
    const hint = profile.modeHint === undefined ? '' : ` ${profile.modeHint}`
    throw died(`${profile.name} refuses the permission mode ${word}: ${sentence(error)}${hint}`, {
      result: 'permission-mode',
    })
  }
}

async function setModel(hands: Handshake): Promise<void> {
  const { profile, session, spec } = hands
  const { model } = session
  if (spec.model === undefined || profile.modelAtStart === true || model?.current === spec.model) return
  if (model === undefined) {
    throw died(`${profile.name} has no way to choose a model: start it without one`, { result: 'model' })
  }
  try {
    await choose(hands, model, spec.model, { method: SET_MODEL, key: 'modelId' })
  } catch (error) {
    if (hands.link.isClosed) throw error
    const why = `${profile.name} does not take the model ${spec.model} (${sentence(error)})`
    throw died(`${why}; it has ${names(model)}`, { result: 'model' })
  }
}

/** Sets a mode or a model, and takes up what the agent says it is then. */
async function choose(
  { link, session }: Handshake,
  choice: Choice,
  value: string,
  list: { method: string; key: string },
): Promise<void> {
  const sessionId = session.nativeId
  if (choice.configId !== undefined) {
    const { configId } = choice
    session.take(await link.request(calls.setConfigOption, { sessionId, configId, value }))
    return
  }
  // The answer is empty. News of it comes by an update before the answer, if at all.
  choice.current = undefined
  await link.request(list.method, { sessionId, [list.key]: value })
  const now = list.key === 'modeId' ? session.mode : session.model
  if (now !== undefined) now.current ??= value
}

const names = ({ available }: Choice): string => {
  const more = available.length - MOST_NAMES
  return available.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** An answer with an error, before there is a session, ends the start. */
async function told({ link, profile }: Handshake, ask: () => Promise<Json>): Promise<Json> {
  try {
    return await ask()
  } catch (error) {
    throw link.isClosed ? error : refused(profile, error)
  }
}

function refused({ name, loginHint }: Profile, error: unknown): StartFailure {
  const why = sentence(error)
  return isLogin(error)
    ? died(`nobody is logged in to ${name} (${why}): ${loginHint}`, { result: 'login' })
    : died(`${name} did not begin a session: ${why}`, promptCause(error))
}
