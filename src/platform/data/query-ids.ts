import { z } from '@hono/zod-openapi'
import { Id } from './ids.ts'

/** The most records that one request can name. */
export const MAX_IDS = 50
const MAX_DIGITS = 16
const bounds = { minItems: 1, maxItems: MAX_IDS }

/** A query parameter with 1 to 50 ids, separated by commas. A repeated id counts once. */
export const QueryIds = z
  .string()
  .max(MAX_IDS * (MAX_DIGITS + 1))
  .transform((list) => list.split(','))
  .pipe(z.array(Id).max(MAX_IDS))
  .transform((ids) => [...new Set(ids)])
  .openapi({
    type: 'array',
    items: { type: 'string', pattern: '^[1-9]\\d{0,15}$', maxLength: MAX_DIGITS },
    ...bounds,
    param: { style: 'form', explode: false },
    example: ['1970324836974593', '1970324836974594'],
  })
