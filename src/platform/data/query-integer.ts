import { z } from '@hono/zod-openapi'

/** A whole number in a query. Only decimal digits: `Number` also reads hexadecimal, exponents, signs and spaces. */
export function queryInteger({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) {
  const bounds = { minimum: min, ...(max < Number.MAX_SAFE_INTEGER && { maximum: max }) }
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number, in decimal digits')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .openapi({ type: 'integer', ...bounds })
}
