import type { SystemCtx } from '../../platform/context.ts'
import { outbound } from '../../platform/security/outbound.ts'
import { breachedPasswordsUrl } from './variables.ts'

const PREFIX = 5

/** Sends only the start of a hash. While the service does not respond, nothing counts as breached. */
export async function isBreached(ctx: SystemCtx, password: string): Promise<boolean> {
  const url = breachedPasswordsUrl(ctx)
  if (!url) return false
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(password.normalize('NFC')))
  const hash = new Uint8Array(digest).toHex().toUpperCase()
  const range = await readRange(ctx, `${url}${hash.slice(0, PREFIX)}`).catch((error: unknown) => {
    ctx.log.warn('breached passwords cannot be checked', { error })
    return ''
  })
  // Padding, which hides the length of the response, has the count 0.
  return range.split('\n').some((line) => {
    const [rest = '', count] = line.trim().split(':')
    return rest.toUpperCase() === hash.slice(PREFIX) && Number(count) > 0
  })
}

async function readRange(ctx: SystemCtx, url: string): Promise<string> {
  const response = await outbound(ctx, url, { headers: { 'add-padding': 'true' } })
  if (!response.ok) throw new Error(`the service responded with ${response.status}`)
  return response.text()
}
