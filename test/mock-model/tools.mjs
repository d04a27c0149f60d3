/**
 * How a model calls the tools that an agent offers: each agent has its own names for the shell and for writing a file, and for
 * their arguments.
 *
 * @typedef {{ name: string, fields: Record<string, { type?: unknown }>, required: readonly string[] }} Tool
 * @typedef {{ name: string, input: Record<string, unknown> }} Call
 */

const shells = ['Bash', 'bash', 'exec_command', 'shell_command', 'shell', 'run_shell_command']
const writers = ['Write', 'write', 'write_file']
const pathFields = ['file_path', 'filePath', 'path']

/**
 * A tool as formats describe it. @returns {Tool}
 * @param {string} name @param {{ properties?: Tool['fields'], required?: string[] }} [schema]
 */
export const tool = (name, schema) => ({ name, fields: schema?.properties ?? {}, required: schema?.required ?? [] })

/** @param {readonly Tool[]} tools @param {string} command @returns {Call | undefined} */
export function shellCall(tools, command) {
  const shell = named(tools, shells)
  if (shell === undefined) return undefined
  const field = 'cmd' in shell.fields ? 'cmd' : 'command'
  const takesWords = shell.fields[field]?.type === 'array'
  return callOf(shell, { [field]: takesWords ? ['bash', '-lc', command] : command })
}

/** @param {readonly Tool[]} tools @param {string} file @param {string} content @returns {Call | undefined} */
export function writeCall(tools, file, content) {
  const writer = named(tools, writers)
  if (writer === undefined) return undefined
  const field = pathFields.find((name) => name in writer.fields) ?? 'path'
  return callOf(writer, { [field]: file, content })
}

/** Fills in what else the tool insists on. @param {Tool} tool @param {Record<string, unknown>} input @returns {Call} */
function callOf({ name, fields, required }, input) {
  const missing = required.filter((field) => !(field in input)).map((field) => [field, sample(fields[field]?.type)])
  return { name, input: { ...Object.fromEntries(missing), ...input } }
}

/** @param {unknown} type */
function sample(type) {
  if (type === 'boolean') return false
  return type === 'number' || type === 'integer' ? 1000 : 'mock'
}

/** The first of `names` that is offered. @param {readonly Tool[]} tools @param {readonly string[]} names */
const named = (tools, names) => names.map((name) => tools.find((tool) => tool.name === name)).find(Boolean)
