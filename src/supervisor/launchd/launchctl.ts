/** launchctl(1), the one way to speak with launchd: its verbs, and what its numbers mean. */
import { AgentzError } from '../../base/errors.js'
import { attempt, type Outcome } from '../exec.js'
import { type Job, parseDomain, parseJob } from './print.js'

/**
 * `launchctl error N` names them. 112 and 125: there is no such domain, since nobody is logged in at the screen, or the
 * question came from where it cannot be seen. 113 and 3 (of bootout): there is no such job.
 */
const NO_DOMAIN = [112, 125]
const NO_JOB = [3, 113]
/**
 * What bootstrap answers while a job of the label is loaded, or is on its way out: for about 5 s after its bootout. It is
 * also the answer to a property list that launchd will not have.
 */
const TAKEN = [5, 17, 36, 37, 133]
const IN_PROGRESS = 36
const ALREADY_RUNS = 37

export const domainsOf = (uid: number): string[] => [`gui/${uid}`, `user/${uid}`]

/** Loads a job into a domain. `taken`: not now. @throws UNIT_FAILED, NO_MANAGER */
export async function bootstrap(domain: string, plist: string): Promise<'loaded' | 'taken' | 'no domain'> {
  const outcome = await launchctl(['bootstrap', domain, plist])
  if (outcome.status === 0) return 'loaded'
  if (NO_DOMAIN.includes(outcome.status)) return 'no domain'
  if (TAKEN.includes(outcome.status)) return 'taken'
  throw failed(`load ${plist} into ${domain}`, outcome)
}

/** Ends a job and takes it out of its domain. It may return before that is done. */
export async function bootout(domain: string, label: string): Promise<void> {
  const outcome = await launchctl(['bootout', `${domain}/${label}`], 60_000)
  if ([0, IN_PROGRESS, ...NO_JOB, ...NO_DOMAIN].includes(outcome.status)) return
  throw failed(`unload ${domain}/${label}`, outcome)
}

/** Undoes a `launchctl disable`, which launchd remembers. Where there is no such domain now, nothing was disabled in it. */
export async function enable(domain: string, label: string): Promise<void> {
  const outcome = await launchctl(['enable', `${domain}/${label}`])
  if (outcome.status !== 0 && !NO_DOMAIN.includes(outcome.status)) throw failed(`enable ${domain}/${label}`, outcome)
}

/** Starts a loaded job now, whatever launchd waits for. */
export async function kickstart(domain: string, label: string): Promise<void> {
  const outcome = await launchctl(['kickstart', `${domain}/${label}`])
  if (outcome.status !== 0 && outcome.status !== ALREADY_RUNS) throw failed(`start ${domain}/${label}`, outcome)
}

/** One job; undefined if none of this label is loaded there. */
export async function printJob(domain: string, label: string): Promise<Job | 'no domain' | undefined> {
  const outcome = await launchctl(['print', `${domain}/${label}`])
  if (outcome.status === 0) return parseJob(outcome.stdout)
  if (NO_DOMAIN.includes(outcome.status)) return 'no domain'
  if (NO_JOB.includes(outcome.status)) return undefined
  throw failed(`ask for ${domain}/${label}`, outcome)
}

/** The jobs of a domain by label, with the process of each that has one; undefined if there is no such domain. */
export async function printDomain(domain: string): Promise<Map<string, number | undefined> | undefined> {
  const outcome = await launchctl(['print', domain])
  if (outcome.status === 0) return parseDomain(outcome.stdout)
  if (NO_DOMAIN.includes(outcome.status)) return undefined
  throw failed(`ask for the jobs of ${domain}`, outcome)
}

const launchctl = (args: string[], timeoutMs?: number): Promise<Outcome> =>
  attempt(['launchctl', ...args], `run launchctl ${args[0]}`, timeoutMs)

function failed(doing: string, { status, stdout, stderr }: Outcome): AgentzError {
  const said = stderr.trim() || stdout.trim() || 'no word'
  return new AgentzError('UNIT_FAILED', `launchctl cannot ${doing}: ${said} (${status})`, {
    hint: '`launchctl error NUMBER` names the number; `log show --last 5m --predicate \'process == "launchd"\'` says more.',
  })
}
