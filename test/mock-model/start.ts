/** Starts the mock model as a process of its own: what a test runs must not share an event loop with it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A request, as the server describes it. */
export interface ModelRequest {
  readonly method: string
  readonly path: string
  readonly hungUp: boolean
  /** The tools that the agent offers; empty for requests on the side, such as those for a title. */
  readonly tools?: readonly string[]
  /** The scripts of the conversation so far, in order. */
  readonly scripts?: readonly string[]
  /** What the last tool since the newest script said. */
  readonly lastResult?: string
}

export interface MockModel {
  readonly url: string
  /** The requests so far. */
  requests(): Promise<ModelRequest[]>
  stop(): Promise<void>
}

export async function startMockModel(): Promise<MockModel> {
  const server = fileURLToPath(new URL('server.mjs', import.meta.url))
  const child = spawn(process.execPath, [server], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
  const exited = once(child, 'exit')
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([first]) => String(first)),
    exited.then(() => Promise.reject(new Error('the mock model ended before it served'))),
  ])
  const { url } = JSON.parse(line) as { url: string }
  return {
    url,
    requests: async () => (await fetch(`${url}/requests`)).json() as Promise<ModelRequest[]>,
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
