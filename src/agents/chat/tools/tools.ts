/** The tools of our own agent. */
import { editFile, readFile, writeFile } from './files.js'
import { listFiles } from './list.js'
import { search } from './search.js'
import { shellTool } from './shell.js'
import type { ChatTool } from './tool.js'

export const tools: ReadonlyMap<string, ChatTool> = new Map(
  [readFile, listFiles, search, writeFile, editFile, shellTool].map((tool) => [tool.name, tool]),
)
