/**
 * What the daemon tells systemd: that it is ready, that it is alive, how it is. Through systemd-notify, a child of some
 * milliseconds, because Node has no datagram Unix sockets. Without a manager that listens, it does nothing.
 */
import { spawn } from 'node:child_process'
import type { Logger } from '../base/logger.js'

export interface Notify {
  ready(): void
  status(text: string): void
  stopping(): void
  /** Pings the watchdog at half its interval, from now on. */
  watch(): void
}

export function createNotify(log: Logger, env: NodeJS.ProcessEnv = process.env): Notify {
  const listens = env.NOTIFY_SOCKET !== undefined
  const send = (...words: string[]) => {
    if (!listens) return
    const child = spawn('systemd-notify', words, { stdio: 'ignore' })
    child.on('error', (error) => log.error({ err: error }, 'cannot run systemd-notify'))
    child.on('exit', (code) => code !== 0 && log.warn({ code, words }, 'systemd-notify failed'))
    child.unref()
  }
  return {
    ready: () => send('--ready'),
    status: (text) => send(`--status=${text}`),
    stopping: () => send('STOPPING=1'),
    watch: () => {
      const interval = Number(env.WATCHDOG_USEC) / 2000
      if (interval > 0) setInterval(() => send('WATCHDOG=1'), interval).unref()
    },
  }
}
