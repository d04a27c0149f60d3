// A fleet of all policies for recover.mjs, and what has to be true of each of its sessions after a recover.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentz } from './measure.mjs'

/** Puts a script in the place of claude. */
export function program(home) {
  const script = fileURLToPath(new URL('../../test/helpers/fake-claude.mjs', import.meta.url))
  const path = join(home, 'bin', 'claude')
  const memory = join(home, 'memory')
  for (const directory of [join(home, 'bin'), memory]) mkdirSync(directory)
  writeFileSync(path, `#!/bin/sh\nFAKE_CLAUDE_MEMORY='${memory}' exec '${process.execPath}' '${script}'\n`)
  chmodSync(path, 0o755)
  process.env.PATH = `${join(home, 'bin')}:${process.env.PATH}`
}

const is = (wanted) => (event) => event.type === wanted
const approval = { args: ['ask one'], ready: is('approval_request'), after: 'waiting_approval' }
const marked = { ...approval, args: ['--restart', 'mark', 'ask one'], after: 'interrupted' }
const input = { args: ['question Which?|A|B'], ready: is('input_request'), after: 'waiting_input' }
const command = {
  args: ['-a', 'command', '--', 'sh', '-c', 'echo one; exec sleep 3600'],
  ready: ({ content }) => content === 'one',
  after: 'interrupted',
}
const tenth = [approval, approval, approval, approval, approval, input, input, marked, command, approval]

/** Of ten that wait, six ask for a permission, two ask something else, two are to be left as they are; of five that work, one. */
export function fleet(idle, busy, home) {
  const work = (...flags) => ({
    args: [...flags, `hold ${home}/release`],
    ready: is('message_accepted'),
    after: flags.includes('mark') ? 'interrupted' : 'running',
  })
  const mode = (name) => work('--permission-mode', name)
  const fifth = [
    mode('default'),
    mode('bypassPermissions'),
    mode('plan'),
    work('--restart', 'mark'),
    mode('acceptEdits'),
  ]
  return [
    ...Array.from({ length: idle }, (_, at) => ({ ...tenth[at % tenth.length] })),
    ...Array.from({ length: busy }, (_, at) => ({ ...fifth[at % fifth.length] })),
  ]
}

export const begin = ({ args }) => JSON.parse(agentz('run', '--json', ...args)).sessionId

export const log = (home, id) =>
  readFileSync(join(home, 'sessions', `${id}.ndjson`), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line))

/** In sentences, whatever is not as it should be. */
export function faults(home, sessions) {
  const listed = new Map(
    agentz('ls', '--json')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .map(({ sessionId, status }) => [sessionId, status]),
  )
  return sessions.flatMap(({ id, after }) => {
    const events = log(home, id)
    const bad = []
    const status = listed.get(id)
    if (status !== after) bad.push(`${id} is ${status}, not ${after}`)
    const recovered = events.filter(is('session_recovery'))
    const wanted = after === 'interrupted' ? 'marked' : 'resumed'
    if (recovered.length !== 1 || recovered[0].action !== wanted)
      bad.push(`${id} was ${recovered.map(({ action }) => action).join(', ') || 'not recovered'}, not ${wanted} once`)
    for (const type of ['message_sent', 'message_accepted']) {
      const ids = events.filter(is(type)).map(({ messageId }) => messageId)
      if (new Set(ids).size < ids.length) bad.push(`${id} has ${type} twice`)
    }
    const modes = (start) =>
      events.filter(({ epoch }) => epoch === start).flatMap(({ permissionMode }) => permissionMode ?? [])
    if (wanted === 'resumed' && modes(1).at(-1) !== modes(2).at(-1))
      bad.push(`${id} has changed its mode from ${modes(1)} to ${modes(2)}`)
    return bad
  })
}
