import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { registrationClosed } from './failures.ts'
import { MIN_LENGTH } from './password-rules.ts'
import { turnstileKeys } from './turnstile.ts'
import { registrationMode, registrationModes, termsUrl, termsVersion } from './variables.ts'

const RegistrationMode = openEnum('RegistrationMode', registrationModes, 'Who may register')

export const RegistrationRules = z
  .object({
    mode: RegistrationMode.openapi({
      description:
        'Who may register: everyone, people with an invitation, everyone, after approval by a moderator, or nobody',
    }),
    termsVersion: z.string().nullable().openapi({ description: 'If not null, `register` requires it' }),
    termsUrl: z.string().nullable(),
    turnstileSiteKey: z.string().nullable().openapi({
      description:
        'If not null, `register` and `requestPasswordReset` require the token of a Turnstile widget with this key',
    }),
    minPasswordLength: z.int(),
  })
  .openapi('RegistrationRules', {
    example: { termsVersion: '2026-01', termsUrl: 'https://example.org/terms', minPasswordLength: 15 },
  })
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

export const TermsVersion = z.string().max(40).openapi({
  description: 'The `termsVersion` of `readRegistration`, once the person has accepted these terms',
})

/** A newer version locks nobody out: only registrations are asked for it. */
export function requireTerms(ctx: Ctx, accepted: string | undefined): void {
  const current = termsVersion(ctx)
  if (current && accepted !== current) throw invalid('termsVersion', `must be ${current}, the current version`)
}

/** The accepted terms and the required approval of a new account. */
export function registrationFields(ctx: Ctx) {
  const version = termsVersion(ctx)
  return {
    termsVersion: version ?? null,
    termsAcceptedAt: version ? ctx.now() : null,
    approval: registrationMode(ctx) === 'approval' ? ('required' as const) : null,
  }
}
