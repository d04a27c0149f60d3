/** Keys of a page, and the list of them behind "?". None works while somebody writes. */
import { h } from './dom.js'

/** @param {HTMLElement} page @param {Record<string, [string, () => void]>} table */
export function keys(page, table) {
  const rows = Object.entries({ ...table, '?': ['This list'] }).flatMap(([key, [what]]) => [
    h('dt', {}, h('kbd', {}, key)),
    h('dd', {}, what ?? ''),
  ])
  const close = h('button', { type: 'button', onclick: () => help.close() }, 'Close')
  const help = h('dialog', { class: 'help', 'aria-label': 'Keys' }, h('h2', {}, 'Keys'), h('dl', {}, ...rows), close)
  page.append(help)
  addEventListener('keydown', (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event
    // Out of a field, so that the keys count again; a dialog closes by it.
    if (key === 'Escape' && isWriting(target) && document.querySelector('dialog[open]') === null) target.blur()
    if (ctrlKey || metaKey || altKey || isWriting(target) || document.querySelector('dialog[open]') !== null) return
    if (key === '?') help.showModal()
    else if (Object.hasOwn(table, key)) table[key]?.[1]()
    else return
    event.preventDefault()
  })
}

/** @param {EventTarget | null} target @returns {target is HTMLElement} */
const isWriting = (target) => target instanceof HTMLElement && target.matches('input, textarea, select')
