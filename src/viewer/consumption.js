/** What a session that runs uses of the machine, from the numbers that the server keeps for monitoring. */
import { Refused, read } from './api.js'
import { duration } from './text.js'

/** @param {string} id @returns {Promise<string>} empty where the system does not tell */
export async function consumption(id) {
  try {
    const text = await read('/metrics')
    /** @param {string} name */
    const number = (name) => Number(new RegExp(`^${name}\\{session="${id}"\\} (\\S+)$`, 'm').exec(text)?.[1])
    const memory = number('agentz_session_memory_bytes')
    const seconds = number('agentz_session_cpu_seconds_total')
    const words = [
      Number.isNaN(memory) ? '' : `${(memory / 2 ** 20).toFixed(0)} MiB of memory`,
      Number.isNaN(seconds) ? '' : `${duration(seconds * 1000)} of processor time so far`,
    ].filter(Boolean)
    return words.length === 0 ? '' : `It uses ${words.join(' and ')}.`
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return ''
  }
}
