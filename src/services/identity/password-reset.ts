import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { encodeDeviceToken, newResetDevice } from './device-tokens.ts'
import { Address } from './email.ts'
import { passwordReset } from './events.ts'
import { requestMail } from './mail-requests.ts'
import { badToken, MailedToken } from './mailed-tokens.ts'
import { replacePassword } from './password-change.ts'
import { personOf } from './password-reset-tokens.ts'
import { ReplacedPassword } from './password-rules.ts'
import { requireTurnstile, TurnstileToken } from './turnstile.ts'
import { type Accepted, Identifier } from './views.ts'

export const ResetRequest = z
  .strictObject({ identifier: Identifier, turnstileToken: TurnstileToken.optional() })
  .openapi('ResetRequest')
type ResetRequest = z.infer<typeof ResetRequest>

export async function requestPasswordReset(ctx: Ctx, { identifier, turnstileToken }: ResetRequest): Promise<Accepted> {
  await requireTurnstile(ctx, turnstileToken, 'reset')
  await requestMail(ctx, 'reset-requested', identifier)
  return { status: 'accepted' }
}

export const Resend = z.strictObject({ email: Address }).openapi('Resend')
type Resend = z.infer<typeof Resend>

export async function resendVerification(ctx: Ctx, { email }: Resend): Promise<Accepted> {
  await requestMail(ctx, 'verification-requested', email)
  return { status: 'accepted' }
}

export const Reset = z.strictObject({ token: MailedToken, password: ReplacedPassword }).openapi('Reset')
type Reset = z.infer<typeof Reset>

export const PasswordReset = z
  .object({
    deviceToken: z.string().openapi({
      description: 'Send it with the next login, so that the guesses of others do not refuse it',
    }),
  })
  .openapi('PasswordReset', { example: { deviceToken: 'Dv5rKc1xPz8tWm3q.9sHfYb2nLe6uJg0a' } })
type PasswordReset = z.infer<typeof PasswordReset>

/** Ends every login, so that the person notices a reset by somebody else. Starts none, because the link alone must not log in. */
export async function resetPassword(ctx: Ctx, { token, password }: Reset): Promise<PasswordReset> {
  const person = await personOf(ctx, token)
  const changes = { password, event: passwordReset, mail: 'password-was-reset' } as const
  const changedAt = await replacePassword(ctx, person, changes)
  if (changedAt === null) throw badToken()
  // Device tokens of the time of the change are void.
  const device = { accountId: person.id, deviceId: newResetDevice(), issuedAt: changedAt + 1 }
  return { deviceToken: await encodeDeviceToken(ctx, device) }
}
