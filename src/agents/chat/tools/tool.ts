/** What a tool is, to the model and to whoever is asked whether it may be used. */
import type { ToolKind } from '@agentclientprotocol/sdk'
import * as z from 'zod/mini'
import type { Place } from './place.js'

/** What a call would do, as far as permission is concerned. */
export type Action =
  | { readonly kind: 'run'; readonly tool: string; readonly command: string }
  | {
      readonly kind: 'read' | 'write'
      readonly tool: string
      /** Real and absolute, links followed. */
      readonly path: string
      /** Outside of the working directory, or where writing means that something will be run. */
      readonly guarded: boolean
    }

export interface ToolRun {
  readonly cwd: string
  /** Variables for processes. */
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

export interface ToolResult {
  readonly text: string
  /** It did not do what it was asked to do. */
  readonly failed?: boolean
}

/** A call whose input has been checked. */
export interface ToolCall {
  readonly title: string
  readonly action: Action
  /** @throws whatever keeps it from being done; the model reads the sentence */
  run(run: ToolRun): ToolResult | Promise<ToolResult>
}

export interface ChatTool {
  readonly name: string
  readonly kind: ToolKind
  readonly description: string
  /** It can change something. */
  readonly changes: boolean
  readonly input: z.core.$ZodType
  /** @throws if the input does not fit, or names a place that cannot be told */
  call(input: unknown, place: Place): ToolCall
}

type Definition<S extends z.core.$ZodType> = Omit<ChatTool, 'input' | 'call'> & {
  readonly input: S
  readonly call: (input: z.core.output<S>, place: Place) => ToolCall
}

export function defineTool<S extends z.core.$ZodType>(definition: Definition<S>): ChatTool {
  const { input: schema, call } = definition
  return {
    ...definition,
    call(input, place) {
      const { success, data, error } = z.safeParse(schema, input)
      if (success) return call(data, place)
      const [issue] = error.issues
      const where = issue?.path.join('.') || 'the input'
      throw new Error(`The input does not fit the tool: ${where}: ${issue?.message ?? 'it is wrong'}`)
    },
  }
}
