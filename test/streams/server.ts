/** A store, as a server that was started again has it. */
import { readdirSync } from 'node:fs'
import type { Test } from 'tap'
import { Memory } from '../../src/base/memory.js'
import { type Home, streamsDirectory } from '../../src/base/paths.js'
import type { Asked } from '../../src/streams/create.js'
import { linesOf } from '../../src/streams/messages.js'
import type { Tuple } from '../../src/streams/meta.js'
import { Store } from '../../src/streams/store.js'
import type { Stream } from '../../src/streams/stream.js'
import { newHome } from '../helpers/home.js'

export const text: Asked = { contentType: 'text/plain', closed: false }
export const json: Asked = { contentType: 'application/json', closed: false }

export class Server {
  readonly home: Home
  #store: Store
  constructor(t: Test) {
    this.home = newHome(t)
    this.#store = new Store(this.home)
    t.teardown(() => this.#store.close())
  }
  again(): void {
    this.#store.close()
    this.#store = new Store(this.home)
  }
  create = (name: string, asked: Asked, body = '') =>
    this.#store.create(name, asked, (json) => (json && body !== '' ? linesOf(Buffer.from(body)) : Buffer.from(body)))
  delete = (name: string) => this.#store.delete(name)
  append = (name: string, bytes: string, more: { close?: boolean; producer?: Tuple; seq?: string } = {}) =>
    this.#store.use(name, (stream) => stream.append({ close: false, ...more, bytes: Buffer.from(bytes) }))
  read = (name: string) => this.#store.use(name, async (stream) => stream.read(0, stream.end, new Memory()).toString())
  meta = (name: string) => this.#store.use(name, async ({ meta, end }) => ({ ...meta, end }))
  use = <T>(name: string, work: (stream: Stream) => Promise<T>) => this.#store.use(name, work)
  files = () => readdirSync(streamsDirectory(this.home)).sort()
}
