/** What the agent is saying just now, piece by piece, until the whole of it comes as one event. */
import { h } from './dom.js'
import { readable, textOf } from './text.js'

/** Characters; the rest of a long block is seen when it is whole. */
const MOST = 20_000

export class Stream {
  element = h('li', { class: 'stream', hidden: true })
  #type = ''
  #text = ''

  /** @param {any} event */
  take({ type, partial, delta, content }) {
    if ((type === 'text' || type === 'thinking') && partial === true) {
      if (type !== this.#type) this.#text = ''
      this.#type = type
      this.#text += Array.isArray(delta) ? delta.map(textOf).join('') : textOf(content)
      this.#text = this.#text.slice(-MOST)
      const body = h('pre', { class: 'block' }, readable(this.#text))
      this.element.replaceChildren(h('div', { class: type === 'text' ? 'said agent' : 'thinking' }, body))
      this.element.hidden = false
    } else if (type === this.#type || type === 'turn_ended' || type === 'daemon_started') this.clear()
  }

  clear() {
    this.#type = ''
    this.#text = ''
    this.element.replaceChildren()
    this.element.hidden = true
  }
}
