/** What each agent can, where they differ: the contract suite expects exactly this, and the table of the README says the same. */
import type { RealAgent } from '../../helpers/real-agents.js'

export interface Abilities {
  /** Whether the agent is a process of its own, which may die alone. */
  readonly process: boolean
  /** Whether it tells what a turn cost. */
  readonly cost: boolean
  /** Whether the reason of a denial reaches the model. */
  readonly denyReason: boolean
  /** Whether the model is heard once more after a denial; if not, the turn ends. */
  readonly goesOnAfterDenial: boolean
  /** What becomes of a message that comes while an answer streams. */
  readonly delivery: 'queued' | 'steered'
  /** Whether an answer that such a message breaks into comes to its end. */
  readonly finishesFirst: boolean
  /** Whether it says that it tries again after an error of the model. */
  readonly tellsRetries: boolean
  /** What it makes of an answer that breaks off each time: it has it whole by another way, gives up, or tries for minutes. */
  readonly cut: 'completed' | 'failed' | 'tries on'
  /** Whether a question outlives the process that asked it. */
  readonly keepsQuestions: boolean
  /** Whether it may lose the history of a session that was begun a moment ago. */
  readonly losesYoungHistory: boolean
  /** A permission mode beside the default one. */
  readonly mode: string
}

export const abilities: Record<RealAgent, Abilities> = {
  claude: {
    process: true,
    cost: true,
    denyReason: true,
    goesOnAfterDenial: true,
    // While a tool runs it is steered.
    delivery: 'queued',
    finishesFirst: true,
    tellsRetries: true,
    // It asks once more, for an answer in one piece.
    cut: 'completed',
    keepsQuestions: false,
    // Its file is written behind its output: a SIGKILL right after the first words has left none.
    losesYoungHistory: true,
    mode: 'acceptEdits',
  },
  codex: {
    process: true,
    // `thread/tokenUsage/updated` holds tokens only.
    cost: false,
    // The answer to a request for approval is a word: "decline".
    denyReason: false,
    goesOnAfterDenial: true,
    delivery: 'steered',
    // A further turn/start takes the place of the answer that streams: what was said so far gets no item/completed.
    finishesFirst: false,
    tellsRetries: true,
    // It tries as often as its configuration says; here that is once.
    cut: 'failed',
    keepsQuestions: false,
    losesYoungHistory: false,
    mode: 'plan',
  },
  opencode: {
    process: true,
    cost: true,
    // An ACP answer to a request for permission is the id of an option.
    denyReason: false,
    // After "reject" the prompt is answered with stopReason "end_turn", and the model is not called again.
    goesOnAfterDenial: false,
    delivery: 'queued',
    finishesFirst: true,
    // ACP has no word for it: after a 529 it calls the model again and again, and nothing comes over the line.
    tellsRetries: false,
    // The same; what it streams at each try comes once more.
    cut: 'tries on',
    keepsQuestions: false,
    losesYoungHistory: false,
    mode: 'plan',
  },
  gemini: {
    process: true,
    // The answer to a prompt holds tokens only, in `_meta.quota`.
    cost: false,
    // As for opencode: ACP has no place for it.
    denyReason: false,
    goesOnAfterDenial: true,
    // It takes a second prompt for a cancel of the first, so that agentz holds it back.
    delivery: 'queued',
    finishesFirst: true,
    // As for opencode.
    tellsRetries: false,
    cut: 'failed',
    keepsQuestions: false,
    losesYoungHistory: false,
    mode: 'plan',
  },
  cerebras: {
    process: true,
    // The API tells tokens, and no price.
    cost: false,
    denyReason: true,
    goesOnAfterDenial: true,
    delivery: 'queued',
    finishesFirst: true,
    tellsRetries: true,
    cut: 'failed',
    // A question is a part of the messages that agentz keeps itself.
    keepsQuestions: true,
    losesYoungHistory: false,
    mode: 'acceptEdits',
  },
}
