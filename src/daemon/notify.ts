/**
 * What the daemon tells systemd: that it is ready, that it is alive, how it is. Through systemd-notify, a child of some
 * milliseconds, because Node has no datagram Unix sockets. Without a manager that listens, it does nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { QuietLogger } from '../base/logger.js'

export interface Notify {
  /** Only the first call counts. */
  ready(): void
  status(text: string): void
  stopping(): void
  /** Pings the watchdog at half its interval, from now on. */
  watch(): void
  /** Lifts the watchdog, before this process is held still, and sets it again. Resolves when the manager knows. */
  lift(isLifted: boolean): Promise<void>
  /** Resolves when all that was sent is with the manager: a unit that ends before it was ready counts as failed. */
  sent(): Promise<void>
}

export function createNotify(log: QuietLogger, env: NodeJS.ProcessEnv = process.env): Notify {
  const listens = env.NOTIFY_SOCKET !== undefined
  const sending = new Map<ChildProcess, Promise<void>>()
  const send = async (...words: string[]) => {
    if (!listens) return
    const child = spawn('systemd-notify', words, { stdio: 'ignore' })
    const done = new Promise<void>((resolve) => {
      child.on('error', (error) => {
        log.error({ err: error }, 'cannot run systemd-notify')
        resolve()
      })
      child.on('exit', (code) => {
        if (code !== 0) log.warn({ code, words }, 'systemd-notify failed')
        resolve()
      })
    })
    sending.set(child, done)
    done.then(() => sending.delete(child))
    child.unref()
    await done
  }
  let isReady = false
  return {
    ready: () => {
      if (!isReady) send('--ready')
      isReady = true
    },
    status: (text) => send(`--status=${text}`),
    stopping: () => send('STOPPING=1'),
    watch: () => {
      const interval = Number(env.WATCHDOG_USEC) / 2000
      if (interval > 0) setInterval(() => send('WATCHDOG=1'), interval).unref()
    },
    lift: async (isLifted) => {
      if (env.WATCHDOG_USEC !== undefined) await send(`WATCHDOG_USEC=${isLifted ? 0 : env.WATCHDOG_USEC}`)
    },
    sent: async () => {
      // Nothing else may be left to wait for, and a process with nothing to wait for ends.
      for (const child of sending.keys()) child.ref()
      await Promise.all(sending.values())
    },
  }
}
