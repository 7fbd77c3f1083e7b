import { env } from 'cloudflare:workers'
import { vi } from 'vitest'

const HOST = '127.0.0.1:8799'

/** Bindings with which the Worker asks the fake provider. */
export const withTurnstile = {
  ...env,
  TURNSTILE_SITE_KEY: 'site key',
  TURNSTILE_SECRET: 'secret key',
  TURNSTILE_URL: `http://${HOST}/siteverify`,
  OUTBOUND_LOCAL_HOSTS: HOST,
}

type Asked = { secret: string; response: string; remoteip?: string }

/** Answers like Turnstile: the token `solved ACTION` is valid once, and `down` gets an answer with 503. */
export function fakeTurnstile() {
  const asked: Asked[] = []
  const used = new Set<string>()
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    if (String(url) !== withTurnstile.TURNSTILE_URL) throw new Error(`unexpected call of ${url}`)
    const question: Asked = JSON.parse(String(init?.body))
    asked.push(question)
    const { secret, response } = question
    if (response === 'down') return new Response('down', { status: 503 })
    if (secret !== withTurnstile.TURNSTILE_SECRET) return refusal('invalid-input-secret')
    const [, action] = /^solved (\w+)/.exec(response) ?? []
    if (!action) return refusal('invalid-input-response')
    if (used.has(response)) return refusal('timeout-or-duplicate')
    used.add(response)
    return Response.json({ success: true, action, hostname: '127.0.0.1', 'error-codes': [] })
  })
  return { asked }
}

const refusal = (code: string) => Response.json({ success: false, 'error-codes': [code] })
