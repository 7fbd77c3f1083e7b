import type { z } from '@hono/zod-openapi'

/** Each message follows the name of its field, as in `text is required`. A schema's own message takes precedence. */
export function zodMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is required'
        : kinds[issue.expected]
          ? `must be ${kinds[issue.expected]}`
          : 'has the wrong type'
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'is required'
      return `must ${measure(issue.origin, 'least', issue.minimum)}`
    case 'too_big':
      return `must ${measure(issue.origin, 'most', issue.maximum)}`
    case 'invalid_value':
      return `must be one of: ${issue.values.join(', ')}`
    case 'unrecognized_keys':
      return 'is not a known field'
    default:
      return 'is invalid'
  }
}

const kinds: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
}

const units: Record<string, string> = { string: 'character', array: 'item' }

function measure(origin: string, side: 'least' | 'most', size: number | bigint): string {
  const unit = units[origin]
  return unit ? `have at ${side} ${size} ${unit}${size === 1 ? '' : 's'}` : `be at ${side} ${size}`
}
