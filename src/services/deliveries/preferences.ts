import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import type { Kind } from '../notifications/tables.ts'
import { Digest, DigestInput, readDigest, storeDigest, viewOfDigest } from './digests.ts'
import { defaultAudience } from './policy.ts'
import { minutesOf, type QuietHours, Time, TimeZone, timeText } from './quiet-hours.ts'
import { changeRules, readRules } from './rules.ts'
import {
  audiences,
  type RuleKind,
  type Rules as StoredRules,
  suppressedAddresses,
  notificationPreferences as table,
} from './tables.ts'

const Audience = openEnum('Audience', audiences, 'Whose actions notify: `followed` are those whom you follow')

const messageChannels = { mail: Audience, push: Audience }
const channels = { inApp: Audience, ...messageChannels }
const Channels = z
  .object(channels)
  .openapi('NotificationChannels', { example: { inApp: 'everyone', mail: 'nobody', push: 'followed' } })
const MessageChannels = z
  .object(messageChannels)
  .openapi('MessageNotificationChannels', { example: { mail: 'nobody', push: 'everyone' } })
const Rules = z
  .object({
    ...{ follow: Channels, like: Channels, comment: Channels, mention: Channels },
    message: MessageChannels,
    messageRequest: MessageChannels.openapi({ description: 'Of messages and groups that you have not accepted yet' }),
  })
  .openapi('NotificationRules')
const SomeChannels = z.strictObject(channels).partial().openapi('SomeNotificationChannels')
const SomeMessageChannels = z.strictObject(messageChannels).partial().openapi('SomeMessageNotificationChannels')
const SomeRules = z
  .strictObject({
    ...{ follow: SomeChannels, like: SomeChannels, comment: SomeChannels, mention: SomeChannels },
    ...{ message: SomeMessageChannels, messageRequest: SomeMessageChannels },
  })
  .partial()
  .openapi('SomeNotificationRules')

const Hours = z
  .strictObject({
    timeZone: TimeZone,
    from: Time,
    to: Time,
  })
  .openapi('QuietHours', { example: { timeZone: 'Europe/Berlin', from: '22:30', to: '07:00' } })

export const PreferencesInput = z
  .strictObject({
    rules: SomeRules,
    quietHours: Hours.optional(),
    includeText: z.boolean().optional(),
    includeMessages: z.boolean().optional(),
    digest: DigestInput.optional(),
  })
  .openapi('NotificationPreferencesInput')

export const NotificationPreferences = z
  .object({
    rules: Rules,
    quietHours: z.union([Hours, z.null()]).openapi({ description: 'When no mail and no push is sent' }),
    includeText: z.boolean().openapi({ description: 'Whether mails and pushes quote public posts' }),
    includeMessages: z.boolean().openapi({
      description: 'Whether mails and pushes contain the beginning of a message, and the names of groups',
    }),
    digest: z.union([Digest, z.null()]).openapi({ description: 'When unread notifications are mailed together' }),
    mailSuppressed: z.boolean().openapi({ description: 'Whether the address of the account has refused mail' }),
  })
  .openapi('NotificationPreferences', {
    example: { includeText: false, includeMessages: false, mailSuppressed: false },
  })

type Preferences = z.infer<typeof NotificationPreferences>

export type Settings = {
  rules: StoredRules
  quietHours: QuietHours | null
  includeText: boolean
  includeMessages: boolean
}

export async function readSettings(ctx: SystemCtx, accountId: Id): Promise<Settings> {
  const own = eq(table.accountId, accountId)
  const [[newest], [row]] = await Promise.all([
    readRules(ctx, accountId),
    ctx.db.shardOf(accountId).select().from(table).where(own),
  ])
  const { timeZone = null, quietFrom: from = null, quietTo: to = null } = row ?? {}
  const { includeText = false, includeMessages = false } = row ?? {}
  const quietHours = timeZone === null || from === null || to === null ? null : { timeZone, from, to }
  return { rules: newest?.rules ?? {}, includeText, includeMessages, quietHours }
}

export function audienceOf(rules: StoredRules, kind: RuleKind, channel: keyof typeof defaultAudience) {
  return rules[kind]?.[channel] ?? defaultAudience[channel]
}

export async function readPreferences(ctx: UserCtx): Promise<Preferences> {
  const { id } = ctx.viewer
  const isSuppressed = eq(suppressedAddresses.accountId, id)
  const [{ rules, quietHours: quiet, includeText, includeMessages }, digest, suppressed] = await Promise.all([
    readSettings(ctx, id),
    readDigest(ctx, id),
    ctx.db.shardOf(id).$count(suppressedAddresses, isSuppressed),
  ])
  const audiencesOf = (kind: Kind) => ({ ...defaultAudience, ...rules[kind] })
  const messageAudiencesOf = (kind: RuleKind) => ({
    mail: audienceOf(rules, kind, 'mail'),
    push: audienceOf(rules, kind, 'push'),
  })
  return {
    rules: {
      follow: audiencesOf('follow'),
      like: audiencesOf('like'),
      comment: audiencesOf('comment'),
      mention: audiencesOf('mention'),
      message: messageAudiencesOf('message'),
      messageRequest: messageAudiencesOf('messageRequest'),
    },
    quietHours: quiet && { timeZone: quiet.timeZone, from: timeText(quiet.from), to: timeText(quiet.to) },
    includeText,
    includeMessages,
    digest: digest && viewOfDigest(digest),
    mailSuppressed: suppressed > 0,
  }
}

export async function replacePreferences(
  ctx: UserCtx,
  { rules, quietHours, includeText = false, includeMessages, digest }: z.infer<typeof PreferencesInput>,
): Promise<Preferences> {
  const accountId = ctx.viewer.id
  const set = {
    timeZone: quietHours?.timeZone ?? null,
    quietFrom: quietHours ? minutesOf(quietHours.from) : null,
    quietTo: quietHours ? minutesOf(quietHours.to) : null,
    includeText,
    ...(includeMessages !== undefined && { includeMessages }),
  }
  await changeRules(ctx, accountId, ({ message, messageRequest }) => ({
    ...(message && { message }),
    ...(messageRequest && { messageRequest }),
    ...rules,
  }))
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db
      .insert(table)
      .values({ accountId, includeMessages: false, ...set })
      .onConflictDoUpdate({ target: table.accountId, set }),
    ...(digest === undefined ? [] : [storeDigest(ctx, accountId, digest)]),
  ])
  return readPreferences(ctx)
}
