/** What a request offers as answers. An agent's runner has written it, or somebody by hand: then it may hold anything. */
import type { Loose } from './life.js'

export interface Offer {
  readonly decision: string
  readonly label: string
}

/** @returns none where any decision may be given */
export function offersOf({ options }: Loose): Offer[] {
  return list(options).flatMap((option) => {
    const { decision, label } = (option ?? {}) as Partial<Offer>
    return typeof decision === 'string' ? [{ decision, label: typeof label === 'string' ? label : decision }] : []
  })
}

/** The words that are understood as an answer; none where any words are. */
export const wordsOf = ({ options }: Loose): string[] => list(options).filter((option) => typeof option === 'string')

const list = (options: unknown): unknown[] => (Array.isArray(options) ? options : [])
