/** Who was kept out, for the log of access. */
import type { IncomingHttpHeaders } from 'node:http'

/** What a client may be told from, cut: it is foreign text, and may go to a terminal. */
const SHOWN = 100

/** What its headers say of where a request comes from. */
export function callerOf(headers: IncomingHttpHeaders): Record<string, string> {
  const shown = ([, value]: [string, unknown]) => typeof value === 'string'
  const { host, origin, 'sec-fetch-site': site } = headers
  const cut = ([name, value]: [string, unknown]) => [
    name,
    String(value)
      .slice(0, SHOWN)
      .replace(/[^ -~]/g, '?'),
  ]
  return Object.fromEntries(Object.entries({ host, origin, site }).filter(shown).map(cut))
}
