import { z } from '@hono/zod-openapi'
import { and, eq, lte } from 'drizzle-orm'
import { html } from 'hono/html'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { notFound } from '../../platform/failures.ts'
import { sign, verifySignature } from '../../platform/security/crypto.ts'
import { audienceOf } from './preferences.ts'
import { changeRules, readRules } from './rules.ts'
import { digests, type RuleKind, ruleKinds } from './tables.ts'

const PURPOSE = 'unsubscribe'

export type Stoppable = RuleKind | 'digest'
const stoppable: readonly Stoppable[] = [...ruleKinds, 'digest']

export const UnsubscribePath = z.object({
  token: z
    .string()
    .max(200)
    .regex(/^\d{1,16}\.[a-zA-Z-]+\.\d{1,16}\.[\w-]{43}$/)
    .openapi({ description: 'From the mail. It needs no login, and stops mails of its kinds' }),
})

const Parts = z.tuple([
  Id,
  z.string().transform((text) => stoppable.filter((kind) => text.split('-').includes(kind))),
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number),
])

/** Names an account, kinds and the time of the mail. It does not expire, because old mails must let people unsubscribe too. */
export async function unsubscribeToken(ctx: SystemCtx, accountId: Id, stopped: readonly Stoppable[]): Promise<string> {
  const text = `${accountId}.${stopped.join('-')}.${ctx.now()}`
  return `${text}.${await sign(ctx.config, PURPOSE, text)}`
}

/** Throws `not_found` for a token that is not from a mail. It works once: it does not stop mails that were asked for again. */
export async function unsubscribe(ctx: Ctx, { token }: { token: string }): Promise<void> {
  const text = token.slice(0, token.lastIndexOf('.'))
  const isValid = await verifySignature(ctx.config, PURPOSE, text, token.slice(text.length + 1))
  const parts = Parts.safeParse(text.split('.'))
  if (!isValid || !parts.success) throw notFound()
  const [accountId, stopped, mailedAt] = parts.data
  if (stopped.includes('digest')) await stopDigest(ctx, accountId, mailedAt)
  const since = (await readRules(ctx, accountId)).filter((row) => row.since > mailedAt)
  const wasStopped = (kind: RuleKind) => since.some(({ rules }) => audienceOf(rules, kind, 'mail') === 'nobody')
  const open = ruleKinds.filter((kind) => stopped.includes(kind) && !wasStopped(kind))
  if (open.length === 0) return
  await changeRules(ctx, accountId, (rules) => ({
    ...rules,
    ...Object.fromEntries(open.map((kind) => [kind, { ...rules[kind], mail: 'nobody' as const }])),
  }))
}

async function stopDigest(ctx: SystemCtx, accountId: Id, mailedAt: number): Promise<void> {
  const own = and(eq(digests.accountId, accountId), lte(digests.askedAt, mailedAt))
  await ctx.db.shardOf(accountId).delete(digests).where(own)
}

/** Leads browsers to the page with a button, because programs that only follow links must not unsubscribe anybody. */
export async function showUnsubscribe(_: Ctx, { token }: { token: string }): Promise<Response> {
  const page = `/?unsubscribe=${encodeURIComponent(token)}`
  const body = await html`<!doctype html>
    <html lang="en">
      <head>
        <title>Unsubscribe</title>
        <meta http-equiv="refresh" content="0;url=${page}" />
      </head>
      <body>
        <p><a href="${page}">Unsubscribe</a></p>
      </body>
    </html>`
  return new Response(String(body), { headers: { 'content-type': 'text/html; charset=utf-8' } })
}
