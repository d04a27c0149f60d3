/** What the actors of a soak were told: each keeps its own account, and the log is held against all of them afterwards. */

/** A message whose sender was told that it is kept. */
export interface Acknowledged {
  readonly writer: string
  readonly messageId: string
}

/** One kill: what was killed, and when. */
export interface Kill {
  readonly what: 'daemon' | 'agent' | 'unit'
  readonly at: number
  readonly midTurn: boolean
}

/** The account of one session. */
export interface SessionHistory {
  readonly sessionId: string
  /** A program, which nothing runs a second time, and nobody talks with. */
  readonly isProgram: boolean
  /** In the order of acknowledgement. */
  readonly messages: Acknowledged[]
  /** Ids of questions whose answer was acknowledged. */
  readonly answers: string[]
  readonly kills: Kill[]
  /** How it was ended from outside, if it was, and nothing was said to it afterwards. */
  fate?: 'cancelled' | 'stopped'
  /** Times at which the disk was full. */
  diskFull: number
}

export const newHistory = (sessionId: string, isProgram = false): SessionHistory => ({
  sessionId,
  isProgram,
  messages: [],
  answers: [],
  kills: [],
  diskFull: 0,
})

/** What one reader was shown of one file, in order: the address and the bytes of each line. */
export interface Shown {
  readonly reader: string
  readonly sessionId: string
  readonly lines: { readonly offset: number; readonly line: string }[]
  /** Damaged lines that it was told of, by where they begin. */
  readonly damaged: number[]
}

/** What the agent of a session wrote down itself. */
export interface AgentNote {
  readonly pid: number
  readonly got?: string
  readonly text?: string
  readonly said?: string
}
