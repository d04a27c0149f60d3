/** Making elements. Text becomes text nodes and nothing else, whatever is in it. */
import { coloured } from './diff.js'
import { counted, readable } from './text.js'

/** @typedef {Node | string | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined | ((event: any) => void)>} [properties] attributes, and on... for listeners
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (typeof value === 'string') element.setAttribute(name, value)
  }
  element.append(...children.filter((child) => child !== undefined && child !== false))
  return element
}

/** An element of the page itself. @param {string} id @returns {HTMLElement} */
export function at(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no #${id}`)
  return element
}

/** Text with `words to type` between backticks. @param {string} text @returns {Node[]} */
export const withCode = (text) => text.split('`').map((part, index) => h(index % 2 === 1 ? 'code' : 'span', {}, part))

/** Of a long text so much at first. */
const CHARACTERS = 4000
const LINES = 40

/** A block of foreign text; a long one is cut until somebody wants all of it. @param {unknown} value @param {(value: unknown) => string} [shown] */
export function block(value, shown = readable) {
  const text = shown(value).replace(/\s+$/, '')
  const beginning = cut(text)
  const body = h('pre', { class: 'block' }, ...coloured(beginning))
  if (beginning.length === text.length) return body
  const more = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      onclick: () => {
        body.replaceChildren(...coloured(text))
        more.remove()
      },
    },
    `Show all ${counted(text.length, 'character')}`,
  )
  return h('div', {}, body, more)
}

/** @param {string} text */
function cut(text) {
  let end = -1
  for (let line = 0; line < LINES; line++) {
    end = text.indexOf('\n', end + 1)
    if (end < 0 || end > CHARACTERS) break
  }
  return text.slice(0, end < 0 ? CHARACTERS : Math.min(end, CHARACTERS))
}

/** A button that copies. @param {string} what @param {string} text */
export function copier(what, text) {
  const button = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      title: `Copy the ${what}`,
      'aria-label': `Copy the ${what}`,
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text)
          button.textContent = 'copied'
        } catch {
          // A browser may forbid it, and the text can be marked by hand.
          button.textContent = 'not allowed'
        }
        setTimeout(() => {
          button.textContent = 'copy'
        }, 1500)
      },
    },
    'copy',
  )
  return button
}
