/** What a tab says while nobody looks at it: its title and its icon tell how many answers are wanted. */
import { at } from './dom.js'

/** @param {number} wanted @param {string} title */
export function badge(wanted, title) {
  document.title = `${wanted > 0 ? `(${wanted}) ` : ''}${title}`
  const icon = wanted > 0 ? '/viewer/icon-asks.svg' : '/viewer/icon.svg'
  if (at('icon').getAttribute('href') !== icon) at('icon').setAttribute('href', icon)
}
