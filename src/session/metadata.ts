/** What a session did goes into the registry too, where lines are small: long lists are cut, and their length is told. */
import type { Metadata } from './events.js'

/** Characters of JSON. */
const MOST = 32 * 1024

export function fitting(metadata: Metadata): Metadata {
  if (JSON.stringify(metadata).length <= MOST) return metadata
  const { editedFiles = [], toolStats, ...rest } = metadata
  const files = editedFiles.slice(0, 100).map((file) => file.slice(0, 200))
  const tools = toolStats === undefined ? {} : { toolStats: { totalCalls: toolStats.totalCalls, byTool: {} } }
  return { ...rest, ...tools, editedFiles: files, editedFilesMissing: editedFiles.length - files.length }
}
