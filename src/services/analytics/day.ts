import { z } from '@hono/zod-openapi'

const isDay = (text: string) => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text)

export const Day = z
  .string()
  .max(10)
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date, like 2026-11-30')
  .refine(isDay, 'must be a day of the calendar')
  .openapi({ format: 'date', maxLength: 10, example: '2026-11-30' })
