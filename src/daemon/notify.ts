/**
 * What the daemon tells systemd: that it is ready, that it is alive, how it is. Through systemd-notify, a child of some
 * milliseconds, because Node has no datagram Unix sockets. Without a manager that listens, it does nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { QuietLogger } from '../base/logger.js'

/** A manager that is busy answers late, and a session that may have no more processes cannot ask it: some seconds in all. */
const ATTEMPTS = 10
const RETRY_MS = 300

export interface Notify {
  /** Only the first call that the manager hears counts: a session that may have no more processes cannot tell it. */
  ready(): void
  status(text: string): void
  stopping(): void
  /** Pings the watchdog at half its interval, from now on. */
  watch(): void
  /** Lifts the watchdog, before this process is held still, and sets it again. Resolves when the manager knows. */
  lift(isLifted: boolean): Promise<void>
  /** Resolves when all that was sent is with the manager. */
  sent(): Promise<void>
  /** The same, and that it was ready among it: a unit that ends before the manager has heard so counts as failed. */
  heard(): Promise<void>
}

export function createNotify(log: QuietLogger, env: NodeJS.ProcessEnv = process.env): Notify {
  const listens = env.NOTIFY_SOCKET !== undefined
  const sending = new Map<ChildProcess, Promise<boolean>>()
  /** @returns whether the manager has been told */
  const send = async (...words: string[]) => {
    if (!listens) return true
    const child = spawn('systemd-notify', words, { stdio: 'ignore' })
    const done = new Promise<boolean>((resolve) => {
      child.on('error', (error) => {
        log.error({ err: error }, 'cannot run systemd-notify')
        resolve(false)
      })
      child.on('exit', (code) => {
        if (code !== 0) log.warn({ code, words }, 'systemd-notify failed')
        resolve(code === 0)
      })
    })
    sending.set(child, done)
    done.then(() => sending.delete(child))
    child.unref()
    return done
  }
  let isReady = false
  const ready = () => {
    if (isReady) return
    isReady = true
    send('--ready').then((isTold) => {
      isReady = isTold
    })
  }
  const sent = async () => {
    // Nothing else may be left to wait for, and a process with nothing to wait for ends.
    for (const child of sending.keys()) child.ref()
    await Promise.all(sending.values())
  }
  return {
    ready,
    status: (text) => send(`--status=${text}`),
    stopping: () => send('STOPPING=1'),
    watch: () => {
      const interval = Number(env.WATCHDOG_USEC) / 2000
      if (interval > 0) setInterval(() => send('WATCHDOG=1'), interval).unref()
    },
    lift: async (isLifted) => {
      if (env.WATCHDOG_USEC !== undefined) await send(`WATCHDOG_USEC=${isLifted ? 0 : env.WATCHDOG_USEC}`)
    },
    sent,
    heard: async () => {
      for (let attempt = 1; ; attempt++) {
        ready()
        await sent()
        if (isReady || attempt === ATTEMPTS) return
        await delay(RETRY_MS)
      }
    },
  }
}
