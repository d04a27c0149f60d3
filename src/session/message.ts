/** What is said to an agent, from the prompt on, and how far each message has come. */
import { randomBytes } from 'node:crypto'

export interface Message {
  messageId: string
  content: string
  /** By the daemon: to go on after an interruption. */
  own: boolean
  interrupt: boolean
  /** It came while a turn ran. */
  waited: boolean
  /** Handed over; whether the agent has it, `accepted` tells. */
  sent: boolean
  accepted: boolean
  /** A turn has ended since. */
  answered: boolean
}

/** The id of the first message of a conversation. */
export const PROMPT = 'prompt'
/** Where the ids of the daemon's own messages begin. */
const OWN = 'continue-'

export const newMessageId = (): string => `m-${randomBytes(6).toString('hex')}`

/** @param start of an agent, which counts over all daemons */
export const ownMessageId = (start: number): string => `${OWN}${start}`

/** Whether a message only asks the agent to go on, and holds nothing of a person's. */
export const isOwn = (messageId: string): boolean => messageId.startsWith(OWN)

export const newMessage = (messageId: string, content: string, how: Partial<Message> = {}): Message => ({
  messageId,
  content,
  own: isOwn(messageId),
  interrupt: false,
  waited: false,
  sent: false,
  accepted: false,
  answered: false,
  ...how,
})
