/** What the server tells of its work to whoever listens, as its lazy parts may: while nobody does, nothing is made or counted. */
import { channel } from 'node:diagnostics_channel'

/** A request that was answered to its end. */
export interface Answered {
  readonly method: string
  /** The pattern of its route, which no client chooses. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/** A piece of a log that was handed to all who follow it. */
export interface Delivered {
  readonly bytes: number
  readonly followers: number
  /** Since the file was written to. */
  readonly seconds: number
}

export const answered = channel('agentz:server:answered')
export const delivered = channel('agentz:server:delivered')
