import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { Failure } from '../../platform/failures.ts'
import { registrationClosed } from './failures.ts'
import { MIN_LENGTH } from './password-rules.ts'
import { turnstileKeys } from './turnstile.ts'
import { registrationMode, registrationModes, termsUrl, termsVersion } from './variables.ts'

export const RegistrationRules = z
  .object({
    mode: z.enum(registrationModes).openapi({
      description:
        'Who may register: everyone, people with an invitation, everyone but a moderator approves the account, or nobody',
    }),
    termsVersion: z.string().nullable().openapi({ description: 'If not null, `register` requires it' }),
    termsUrl: z.string().nullable(),
    turnstileSiteKey: z.string().nullable().openapi({
      description: 'If not null, `register` requires the token of a Turnstile widget with this key',
    }),
    minPasswordLength: z.int(),
  })
  .openapi('RegistrationRules')
type RegistrationRules = z.infer<typeof RegistrationRules>

export function readRegistration(ctx: Ctx): RegistrationRules {
  return {
    mode: registrationMode(ctx),
    termsVersion: termsVersion(ctx) ?? null,
    termsUrl: termsUrl(ctx) ?? null,
    turnstileSiteKey: turnstileKeys(ctx)?.siteKey ?? null,
    minPasswordLength: MIN_LENGTH,
  }
}

export function requireOpen(ctx: Ctx): void {
  if (registrationMode(ctx) === 'closed') throw new Failure(registrationClosed)
}
