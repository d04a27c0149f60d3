/** What the journal is told of an agent: masked as its file is, since more people than its owner may read the journal. */
import { reason } from '../base/errors.js'
import type { QuietLogger } from '../base/logger.js'
import type { Mask } from '../session/mask.js'

export function journal(log: Pick<QuietLogger, 'warn'>, mask: Mask) {
  return (message: string, detail?: unknown): void => {
    const told = detail instanceof Error ? reason(detail) : detail
    log.warn(JSON.parse(mask.line(JSON.stringify({ detail: told }))), message)
  }
}
