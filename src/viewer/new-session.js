/** The dialog that starts a session. */
import { ask, complaint, Refused } from './api.js'
import { h } from './dom.js'

export function newSession() {
  /** @type {any[]} */
  let agents = []
  const agent = h('select', { id: 'new-agent', onchange: () => choose() })
  const mode = h('select', { id: 'new-mode' })
  const directory = h('input', {
    type: 'text',
    id: 'new-directory',
    list: 'new-directories',
    required: true,
    spellcheck: 'false',
    autocomplete: 'off',
  })
  const directories = h('datalist', { id: 'new-directories' })
  const prompt = h('textarea', {
    id: 'new-prompt',
    rows: '5',
    required: true,
    onkeydown: (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
    },
  })
  const promptLabel = h('label', { for: 'new-prompt' }, 'Prompt')
  const title = h('input', {
    type: 'text',
    id: 'new-title',
    maxlength: '200',
    placeholder: 'the beginning of the prompt',
  })
  const modeLine = h('div', {}, h('label', { for: 'new-mode' }, 'What it may do unasked'), mode)
  const told = h('div', { class: 'told' })
  const start = h('button', { type: 'submit', class: 'allow' }, 'Start')
  const form = h(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault()
        void create()
      },
    },
    h('h2', {}, 'New session'),
    h('div', {}, h('label', { for: 'new-agent' }, 'Agent'), agent),
    h('div', {}, h('label', { for: 'new-directory' }, 'Directory'), directory, directories),
    h('div', {}, promptLabel, prompt),
    modeLine,
    h('div', {}, h('label', { for: 'new-title' }, 'Title'), title),
    told,
    h(
      'div',
      { class: 'answers' },
      start,
      h('button', { type: 'button', class: 'quiet', onclick: () => element.close() }, 'Close'),
    ),
  )
  const element = h('dialog', { class: 'new', 'aria-label': 'New session' }, form)

  const chosen = () => agents.find(({ name }) => name === agent.value)
  function choose() {
    told.replaceChildren()
    const modes = chosen()?.modes ?? []
    const isProgram = agent.value === 'command'
    mode.replaceChildren(
      h('option', { value: '' }, 'the default of the agent'),
      ...modes.map((/** @type {string} */ name) => h('option', { value: name }, name)),
    )
    modeLine.hidden = modes.length === 0
    promptLabel.textContent = isProgram ? 'Command line, for sh' : 'Prompt'
  }

  async function create() {
    start.disabled = true
    told.replaceChildren('Starting ...')
    const words = agent.value === 'command' ? { command: ['sh', '-c', prompt.value] } : { prompt: prompt.value }
    const named = title.value.trim() === '' ? {} : { title: title.value.trim() }
    const allowed = mode.value === '' ? {} : { permissionMode: mode.value }
    try {
      const { sessionId } = await ask('/v1/sessions', {
        agentType: agent.value,
        workingDir: directory.value,
        ...words,
        ...named,
        ...allowed,
      })
      location.assign(`/s/${sessionId}`)
    } catch (error) {
      told.replaceChildren(complaint(error))
      start.disabled = false
    }
  }

  return {
    element,
    /** @param {any[]} sessions directories of them are offered, the last one first */
    async open(sessions) {
      told.replaceChildren()
      element.showModal()
      const known = [
        ...new Set(
          [...sessions]
            .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1))
            .map(({ workingDir }) => workingDir),
        ),
      ]
      directories.replaceChildren(...known.slice(0, 30).map((value) => h('option', { value })))
      if (directory.value === '') directory.value = known[0] ?? ''
      try {
        if (agents.length === 0) {
          agents = (await ask('/v1/agents')).agents
          agent.replaceChildren(
            ...agents.map(({ name, title: what, installed }) =>
              h('option', { value: name }, `${name}: ${what}${installed ? '' : ' (not installed)'}`),
            ),
          )
          const usual = agents.find((each) => each.default)
          const there = [usual, ...agents].find((each) => each?.installed && each.name !== 'command')
          agent.value = (there ?? usual ?? agents[0])?.name
          choose()
        }
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        told.replaceChildren(complaint(error))
      }
      const empty = directory.value === '' ? directory : prompt
      empty.focus()
    },
  }
}
