/** What one can tell a session: a message, or to end. */
import { ask, complaint, Refused, sessionPath } from './api.js'
import { h } from './dom.js'
import { isFinished } from './status.js'
import { counted } from './text.js'

/** @param {string} id */
export function composer(id) {
  const told = h('div', { class: 'told', role: 'status' })
  const text = h('textarea', {
    rows: '1',
    title: 'Enter sends, Shift+Enter begins a line',
    'aria-label': 'Message to the session',
    onkeydown: (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault()
        form.requestSubmit()
      }
    },
    oninput: () => {
      // Another text is another message.
      messageId = crypto.randomUUID()
      isRepeat = false
      text.rows = Math.min(8, text.value.split('\n').length)
    },
  })
  const send = h('button', { type: 'submit' }, 'Send')
  const hold = h('button', { type: 'button', onclick: () => void change() }, 'Freeze')
  const stop = h('button', { type: 'button', class: 'deny', onclick: () => void cancel() }, 'Cancel session')
  /** Of the message that is on its way: when it is sent again, it does not come twice. */
  let messageId = crypto.randomUUID()
  let isRepeat = false
  const form = h(
    'form',
    {
      class: 'composer',
      onsubmit: (event) => {
        event.preventDefault()
        void say()
      },
    },
    text,
    send,
    hold,
    stop,
  )

  async function say() {
    if (text.value.trim() === '' || send.disabled) return
    send.disabled = true
    told.replaceChildren()
    try {
      await ask(`${sessionPath(id)}/messages`, { content: text.value, messageId })
      sent()
    } catch (error) {
      // It had come already, and only the answer was lost.
      if (isRepeat && error instanceof Refused && error.code === 'CONFLICT') sent()
      else told.replaceChildren(complaint(error))
      isRepeat = error instanceof Refused && error.code === 'OFFLINE'
    } finally {
      send.disabled = false
    }
  }

  function sent() {
    text.value = ''
    text.rows = 1
    messageId = crypto.randomUUID()
    isRepeat = false
  }

  /** Where this system cannot do it, that is said once. */
  let isHoldable = true
  async function change() {
    const verb = hold.textContent === 'Thaw' ? 'thaw' : 'freeze'
    hold.disabled = true
    told.replaceChildren()
    try {
      await ask(`${sessionPath(id)}/${verb}`, {})
    } catch (error) {
      isHoldable = !(error instanceof Refused && error.code === 'UNSUPPORTED')
      hold.hidden = !isHoldable
      told.replaceChildren(complaint(error))
    } finally {
      hold.disabled = false
    }
  }

  async function cancel() {
    if (!confirm('End this session? A message takes it up again later.')) return
    stop.disabled = true
    told.replaceChildren('Ending ...')
    try {
      const { done, status } = await ask(`${sessionPath(id)}/cancel`, {})
      told.replaceChildren(done ? '' : `It is ${status}.`)
    } catch (error) {
      told.replaceChildren(complaint(error))
    } finally {
      stop.disabled = false
    }
  }

  return {
    element: h('div', {}, told, form),
    focus: () => text.focus(),
    /** @param {unknown} error */
    failed: (error) => told.replaceChildren(complaint(error)),
    /** @param {any} session */
    draw({ status, agentType, queued, frozen, place }) {
      const isProgram = agentType === 'command'
      text.hidden = isProgram
      send.hidden = isProgram
      stop.hidden = isFinished(status)
      hold.hidden = isFinished(status) || place !== undefined || !isHoldable
      hold.textContent = frozen ? 'Thaw' : 'Freeze'
      hold.title = frozen ? 'Let its processes go on' : 'Hold all its processes still; they keep their memory'
      form.hidden = isProgram && stop.hidden
      const waits = queued > 0 ? ` (${counted(queued, 'message')} not taken yet)` : ''
      text.placeholder = isFinished(status) ? 'Message, to take it up again' : `Message${waits}`
    },
  }
}
