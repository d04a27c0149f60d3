/** Starting the browser of a person, where there is one. */
import { spawn } from 'node:child_process'

/**
 * Hands a file to the browser that the desktop has. @returns why not, if it cannot be done; a browser that starts and fails later
 * tells so itself
 */
export function startBrowser(path: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const isMac = process.platform === 'darwin'
  if (!isMac && !env.DISPLAY && !env.WAYLAND_DISPLAY) return Promise.resolve('there is no display')
  const program = env.BROWSER || (isMac ? 'open' : 'xdg-open')
  return new Promise((resolve) => {
    const child = spawn(program, [path], { detached: true, stdio: 'ignore' })
    child.once('error', ({ message }) => resolve(`cannot start ${program}: ${message}`))
    child.once('spawn', () => {
      child.unref()
      resolve(undefined)
    })
  })
}
