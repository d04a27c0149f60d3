/** Which sessions a search finds: every word of it stands somewhere in what is known of one. */

/** @param {any} session @param {string} wanted */
export function matches(session, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const { sessionId, title, prompt, workingDir, agentType, model, status, labels, cause } = session
  const labelled = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`)
  const text = [sessionId, title, prompt, workingDir, agentType, model, status, cause?.result, ...labelled]
    .join('\n')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}
