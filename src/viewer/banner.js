/** One line above everything: that the connection is gone, or that nobody is logged in. What is on the page stays. */
import { ask, Refused } from './api.js'
import { at, withCode } from './dom.js'
import { sentence } from './text.js'

let isOpen = true

/** @param {boolean} now whether the connection stands */
export function connection(now) {
  isOpen = now
  if (now) say('')
  else {
    say('The connection is gone. Trying again; nothing is lost.')
    // What a stream is refused with, a browser does not tell.
    ask('/v1/server').catch((error) => {
      if (!isOpen) say(error instanceof Refused ? `${sentence(error.message)} ${error.hint}` : String(error))
    })
  }
}

/** @param {string} text */
function say(text) {
  const banner = at('banner')
  if (banner.textContent === text.replaceAll('`', '')) return
  banner.hidden = text === ''
  banner.replaceChildren(...(text === '' ? [] : withCode(text)))
}
