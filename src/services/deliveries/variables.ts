import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

const PART = '[\\w-]{43}'

/** The P-256 key that signs pushes, as `x.y.d` in base64url. Without it, no pushes are sent. */
export const vapidKey = defineVariable(
  'VAPID_KEY',
  z
    .string()
    .regex(new RegExp(`^${PART}\\.${PART}\\.${PART}$`), 'must be x.y.d of a P-256 key, each in base64url')
    .transform((text) => {
      const [x = '', y = '', d = ''] = text.split('.')
      return { x, y, d }
    })
    .optional(),
)
