/** What "always" means of what claude suggests: rules, directories and modes come together, and not all of it was asked about. */
import type { Json } from '../json.js'
import { objects, string, text } from '../json.js'

/**
 * The rules for the tool that was asked about, and nothing that comes with them: a person who allows a command for good has not
 * allowed every edit. Where claude has no rule to suggest (it has none for edits), the mode it suggests is all there is to say yes to.
 */
export function alwaysOf(suggestions: readonly Json[]): readonly Json[] {
  const rules = suggestions.filter(({ type, behavior }) => type === 'addRules' && behavior === 'allow')
  return rules.length > 0 ? rules : suggestions
}

/** The same in words. */
export function meaningOf(chosen: readonly Json[]): string {
  return chosen.map(part).join('; ')
}

function part(suggestion: Json): string {
  const { type, mode, directories } = suggestion
  if (type === 'addRules') {
    return objects(suggestion.rules)
      .map(({ toolName, ruleContent }) => {
        const content = string(ruleContent)
        return content === undefined ? `all of ${text(toolName)}` : `${text(toolName)}(${content})`
      })
      .join(', ')
  }
  if (type === 'setMode') return `the session goes into the mode ${text(mode)}`
  if (type === 'addDirectories' && Array.isArray(directories)) return `work in ${directories.map(text).join(', ')}`
  const { destination: _, ...rest } = suggestion
  return JSON.stringify(rest)
}
