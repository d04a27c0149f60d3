/** What zod found wrong, as words for people that name the field. zod/mini itself says "Invalid input" to everything. */
import type * as z from 'zod/mini'

/** The first thing that is wrong: `limits.tasks: must be at least 64`. */
export function firstIssue(error: z.core.$ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return 'invalid'
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...issue.path, ...unknown].map(String).join('.')
  return `${path ? `${path}: ` : ''}${words(issue)}`
}

function words(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'there is no such field'
    case 'invalid_type':
      return `must be of type ${issue.expected}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      if (issue.minimum === 1 && unit(issue.origin) !== '') return 'must not be empty'
      return `must be at least ${issue.minimum}${unit(issue.origin)}`
    case 'too_big':
      return `must be at most ${issue.maximum}${unit(issue.origin)}`
    default:
      return issue.message
  }
}

const unit = (origin: string): string => (origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '')
