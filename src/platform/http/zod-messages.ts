import type { z } from '@hono/zod-openapi'

/** What a schema finds wrong, as it reads behind the name of the field. A message of the schema's own comes before it. */
export function zodMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is needed' : `must be ${kinds[issue.expected] ?? 'of another kind'}`
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'is needed'
      return `must ${measure(issue.origin, 'least', issue.minimum)}`
    case 'too_big':
      return `must ${measure(issue.origin, 'most', issue.maximum)}`
    case 'invalid_value':
      return `must be one of: ${issue.values.join(', ')}`
    case 'unrecognized_keys':
      return 'is not known'
    default:
      return 'is not valid'
  }
}

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

const units: Record<string, string> = { string: 'character', array: 'item' }

function measure(origin: string, side: 'least' | 'most', size: number | bigint): string {
  const unit = units[origin]
  return unit ? `have at ${side} ${size} ${unit}${size === 1 ? '' : 's'}` : `be at ${side} ${size}`
}
