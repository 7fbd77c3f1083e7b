import { z } from '@hono/zod-openapi'

/** `isLong`: values may exceed 32 bits, so GraphQL has to take a Float. */
type Bounds = { min?: number; max?: number; isLong?: boolean }

/** A whole number in a query. Only decimal digits: `Number` also reads hexadecimal, exponents, signs and spaces. */
export function queryInteger({ min = 0, max = Number.MAX_SAFE_INTEGER, isLong = false }: Bounds = {}) {
  const bounds = {
    minimum: min,
    ...(max < Number.MAX_SAFE_INTEGER && { maximum: max }),
    ...(isLong && { format: 'int64' }),
  }
  return z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number, in decimal digits')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .openapi({ type: 'integer', ...bounds })
}
