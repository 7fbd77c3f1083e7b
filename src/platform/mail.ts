import type { SystemCtx } from './context.ts'

const FINAL_CODES: unknown[] = ['E_RECIPIENT_SUPPRESSED', 'E_VALIDATION_ERROR']

type Mail = { to: string; subject: string; html: string; text: string; headers?: Record<string, string> }

/** Sends a mail from `no-reply@` of the own domain. Returns false if the address accepts none, and throws to be retried. */
export async function sendEmail(ctx: SystemCtx, mail: Mail): Promise<boolean> {
  const from = { email: `no-reply@${new URL(ctx.config.BASE_URL).hostname}`, name: 'SocialConnect' }
  try {
    await ctx.env.MAIL.send({ from, ...mail })
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    // The error is not attached as a cause: causes are logged, and its message may contain `to`.
    if (!FINAL_CODES.includes(code)) throw new Error(`the email service failed with ${code}`)
    ctx.log.warn('an address does not accept email', { code })
    return false
  }
}
