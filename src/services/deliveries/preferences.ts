import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { either } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { type Kind, kinds } from '../notifications/tables.ts'
import { defaultAudience } from './policy.ts'
import { isTimeZone, type QuietHours } from './quiet-hours.ts'
import { audiences, mailStates, notificationPreferences, type Rules } from './tables.ts'

const Audience = openEnum('Audience', audiences, 'Whose actions notify: `followed` are those whom you follow')

const Channels = z
  .strictObject({
    inApp: Audience.default(defaultAudience.inApp),
    mail: Audience.default(defaultAudience.mail),
    push: Audience.default(defaultAudience.push),
  })
  .openapi('NotificationChannels', { example: { inApp: 'everyone', mail: 'nobody', push: 'followed' } })
const defaultChannels = { ...defaultAudience }

const ByKind = z
  .strictObject({
    follow: Channels.default(defaultChannels),
    like: Channels.default(defaultChannels),
    comment: Channels.default(defaultChannels),
    mention: Channels.default(defaultChannels),
  })
  .openapi('NotificationRules')

const Time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 22:30')
  .openapi({ example: '22:30' })

const QuietHoursView = z
  .strictObject({
    timeZone: z.string().max(64).refine(isTimeZone, 'must be an IANA time zone, like Europe/Berlin'),
    from: Time,
    to: Time,
  })
  .openapi('QuietHours', { example: { timeZone: 'Europe/Berlin', from: '22:30', to: '07:00' } })

export const PreferencesInput = z.strictObject({
  rules: ByKind.prefault({}),
  quietHours: z.union([QuietHoursView, z.null()]).default(null),
  includeText: z.boolean().default(false),
})

export const NotificationPreferences = z
  .object({
    rules: ByKind,
    quietHours: z.union([QuietHoursView, z.null()]).openapi({ description: 'When no mail and no push is sent' }),
    includeText: z.boolean().openapi({ description: 'Whether mails and pushes quote public posts' }),
    mailSuppressed: z.boolean().openapi({ description: 'Whether the address of the account has refused mail' }),
  })
  .openapi('NotificationPreferences', { example: { includeText: false, mailSuppressed: false } })

type Preferences = z.infer<typeof NotificationPreferences>

/** What the delivery of notifications needs to know about an account. */
export type Settings = { rules: Rules; quietHours: QuietHours | null; includeText: boolean }

const unset: Settings = { rules: {}, quietHours: null, includeText: false }

export async function readSettings(ctx: SystemCtx, accountId: Id): Promise<Settings> {
  const own = eq(notificationPreferences.accountId, accountId)
  const [row] = await ctx.db.shardOf(accountId).select().from(notificationPreferences).where(own)
  return row ? settingsOf(row) : unset
}

function settingsOf(row: typeof notificationPreferences.$inferSelect): Settings {
  const { timeZone, quietFrom: from, quietTo: to, rules, includeText } = row
  const quietHours = timeZone === null || from === null || to === null ? null : { timeZone, from, to }
  return { rules, includeText, quietHours }
}

export function audienceOf({ rules }: Settings, kind: Kind, channel: keyof typeof defaultAudience) {
  return rules[kind]?.[channel] ?? defaultAudience[channel]
}

export async function readPreferences(ctx: UserCtx): Promise<Preferences> {
  const { id } = ctx.viewer
  const db = ctx.db.shardOf(id)
  const [[row], [mail]] = await db.batch([
    db.select().from(notificationPreferences).where(eq(notificationPreferences.accountId, id)),
    db.select({ suppressed: mailStates.suppressedAddress }).from(mailStates).where(eq(mailStates.accountId, id)),
  ])
  const settings = row ? settingsOf(row) : unset
  const channels = (kind: Kind) => ({ ...defaultAudience, ...settings.rules[kind] })
  const { quietHours: quiet, includeText } = settings
  return {
    rules: {
      follow: channels('follow'),
      like: channels('like'),
      comment: channels('comment'),
      mention: channels('mention'),
    },
    quietHours: quiet && { timeZone: quiet.timeZone, from: timeText(quiet.from), to: timeText(quiet.to) },
    includeText,
    mailSuppressed: Boolean(mail?.suppressed),
  }
}

export async function replacePreferences(
  ctx: UserCtx,
  { rules, quietHours, includeText }: z.infer<typeof PreferencesInput>,
): Promise<Preferences> {
  await store(ctx, ctx.viewer.id, sparse(rules), {
    timeZone: quietHours?.timeZone ?? null,
    quietFrom: quietHours && minutesOf(quietHours.from),
    quietTo: quietHours && minutesOf(quietHours.to),
    includeText,
  })
  return readPreferences(ctx)
}

type Others = Omit<typeof notificationPreferences.$inferInsert, 'accountId' | 'rules' | 'previousRules' | 'changedAt'>

/** Rules that stay as they are keep their history, so that events are decided by the rules of their time. */
async function store(ctx: SystemCtx, accountId: Id, rules: Rules, others: Others): Promise<void> {
  const table = notificationPreferences
  const change = { rules, changedAt: ctx.now() }
  await ctx.db
    .shardOf(accountId)
    .insert(table)
    .values({ accountId, previousRules: {}, ...change, ...others })
    .onConflictDoUpdate({ target: table.accountId, set: { ...others, ...keepingHistory(change) } })
}

function keepingHistory({ rules, changedAt }: { rules: Rules; changedAt: number }) {
  const table = notificationPreferences
  const isSame = eq(table.rules, rules)
  return {
    rules,
    previousRules: either(isSame, table.previousRules, table.rules),
    changedAt: either<number>(isSame, table.changedAt, changedAt),
  }
}

/** For mails of these kinds: nobody's actions are mailed any more. */
export async function stopMails(ctx: SystemCtx, accountId: Id, stopped: readonly Kind[]): Promise<void> {
  const { rules, quietHours, includeText } = await readSettings(ctx, accountId)
  const added = stopped.map((kind) => [kind, { ...rules[kind], mail: 'nobody' as const }])
  await store(ctx, accountId, sparse({ ...rules, ...Object.fromEntries(added) }), {
    timeZone: quietHours?.timeZone ?? null,
    quietFrom: quietHours?.from ?? null,
    quietTo: quietHours?.to ?? null,
    includeText,
  })
}

/** Without what is the default. */
function sparse(rules: Rules): Rules {
  const channels = ['inApp', 'mail', 'push'] as const
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const set = channels.flatMap((channel) => {
        const audience = rules[kind]?.[channel]
        return audience && audience !== defaultAudience[channel] ? [[channel, audience]] : []
      })
      return set.length > 0 ? [[kind, Object.fromEntries(set)]] : []
    }),
  )
}

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

const timeText = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':')

export async function forgetSuppression(ctx: UserCtx): Promise<void> {
  const own = eq(mailStates.accountId, ctx.viewer.id)
  await ctx.db.shardOf(ctx.viewer.id).update(mailStates).set({ suppressedAddress: null }).where(own)
}
