/** What the scripted demonstration says and does next, as a function of the conversation so far. */

export interface Line {
  readonly thought?: string
  readonly text: string
  readonly call?: { readonly name: string; readonly input: object }
}

export interface Scene {
  /** What the person has said, from the first message on. */
  readonly said: readonly string[]
  /** Results of tools since the last message. */
  readonly results: readonly { readonly denied: boolean; readonly text: string }[]
  /** The tools that may be used. */
  readonly tools: readonly string[]
}

const FILE = 'agentz-demo.txt'

export function nextLine(scene: Scene): Line {
  const line = scene.said.length <= 1 ? opening(scene) : followUp(scene)
  const { call } = line
  if (call === undefined || scene.tools.includes(call.name)) return line
  return {
    text: `Now I would use the tool ${call.name}, but the permission mode of this session has none of the kind.`,
  }
}

function opening({ results }: Scene): Line {
  const [list, write] = results
  if (list === undefined) {
    return {
      thought:
        'Someone wants to see how this works. I look around first, which needs nobody to agree, and then ask to write.',
      text: 'I am a scripted demonstration; no model is behind this. First I look at what files are here.',
      call: { name: 'list_files', input: { path: '.' } },
    }
  }
  if (write === undefined) {
    const count = list.text.startsWith('[') ? 0 : list.text.split('\n').length
    return {
      text: `I see ${things(count, 'entry', 'entries')}. Now I want to write the file ${FILE}. That waits until you say yes or no.`,
      call: { name: 'write_file', input: { path: FILE, content: 'A scripted demonstration of agentz wrote this.\n' } },
    }
  }
  const happened = write.denied
    ? `I did not write ${FILE}, since I was told: "${write.text}".`
    : `The tool says: ${write.text}.`
  return { text: `${happened} That was the first part. Send me something with \`agentz send\`, and I will go on.` }
}

function followUp({ said, results }: Scene): Line {
  const [shell] = results
  if (shell === undefined) {
    const before = things(said.length - 1, 'message', 'messages')
    return {
      text: `You said: "${said.at(-1)}". I remember ${before} of yours from before. Now I want to run the command date.`,
      call: { name: 'shell', input: { command: 'date' } },
    }
  }
  if (shell.denied)
    return { text: `I did not run it, since I was told: "${shell.text}". That is all that my script holds.` }
  return { text: `The command says: ${shell.text.trim()}. That is all that my script holds; no model is behind this.` }
}

const things = (count: number, one: string, many: string): string =>
  count === 1 ? `one ${one}` : `${count === 0 ? 'no' : count} ${many}`
