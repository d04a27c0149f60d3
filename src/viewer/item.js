/** An entry of a transcript at its place in the file: when that was, a link to it, and the line itself for who asks. */
import { complaint, read } from './api.js'
import { block, copier, h } from './dom.js'
import { local, spelled } from './text.js'

/** @typedef {{from: number, to: number}} Place where a line begins, or the line before it has ended, and where the next one begins */

/** @type {WeakMap<HTMLElement, Place[]>} of what one entry shows */
const places = new WeakMap()

/** Another line that the entry shows, such as what a tool gave. @param {HTMLElement} entry @param {Place} place */
export function addPlace(entry, place) {
  places.get(entry)?.push(place)
}

/** @param {HTMLElement} entry @param {string} path of the session @param {Place} place @param {any} [event] none, where the line holds none */
export function itemOf(entry, path, place, event) {
  const own = [place]
  places.set(entry, own)
  const isTurn = event?.type === 'session_created' || (event?.type === 'user_message' && event.by === 'user')
  const { clock, moment } = local(event?.timestamp)
  const raw = h('div', { class: 'raw', hidden: true })
  const toggle = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      title: 'The line as it stands in the file',
      'aria-label': `Line of event ${place.to}`,
      'aria-expanded': 'false',
      onclick: async () => {
        raw.hidden = !raw.hidden
        toggle.setAttribute('aria-expanded', String(!raw.hidden))
        if (!raw.hidden) raw.replaceChildren(...(await linesOf(path, own)))
      },
    },
    '{ }',
  )
  const link = h(
    'a',
    {
      href: `#e=${place.to}`,
      class: 'anchor',
      title: moment === '' ? 'Link to this event' : `${moment}; link to this event`,
      'aria-label': `Link to event ${place.to}${clock === '' ? '' : `, ${clock}`}`,
      tabindex: '-1',
    },
    clock || '#',
  )
  const element = h('li', { class: isTurn ? 'turn' : '' }, entry, h('div', { class: 'place' }, toggle, link), raw)
  element.dataset.offset = String(place.to)
  return element
}

/** @param {string} path @param {Place[]} wanted @returns {Promise<HTMLElement[]>} */
async function linesOf(path, wanted) {
  try {
    const lines = []
    for (const { from, to } of wanted) {
      // Without its own line end; what was streamed may stand before it.
      const text = await read(`${path}/log`, { range: `bytes=${from}-${to - 2}` })
      lines.push(text.slice(text.lastIndexOf('\n') + 1))
    }
    return lines.flatMap((line) => [block(line, spelled), copier('line', line)])
  } catch (error) {
    return [complaint(error)]
  }
}
