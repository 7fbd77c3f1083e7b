import { z } from '@hono/zod-openapi'
import { and, eq, inArray } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { notFound } from '../../platform/failures.ts'
import { countImage, setProfileImage } from '../accounts/statements.ts'
import { accounts } from '../accounts/tables.ts'
import { type Account, loadAccounts } from '../accounts/views.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { encodeImage, shapes } from './encode.ts'
import { putObjects } from './objects.ts'
import { imageQuotas, withinQuotas } from './quotas.ts'
import { IN_PROFILE, media } from './tables.ts'
import { bytesOf, ImageUpload } from './upload.ts'

export const ProfileImageUpload = z
  .strictObject({
    file: ImageUpload.openapi({
      type: 'string',
      format: 'binary',
      description: 'JPEG, PNG, GIF or WebP, up to 10 MiB and 40 megapixels, not animated',
    }),
  })
  .openapi('ProfileImageUpload')
type ProfileImageUpload = z.infer<typeof ProfileImageUpload>

type Place = 'avatar' | 'header'
const columns = { avatar: 'avatarId', header: 'headerId' } as const

export function setAvatar(ctx: UserCtx, { file }: ProfileImageUpload): Promise<Account> {
  return setImage(ctx, 'avatar', file)
}

export function setHeader(ctx: UserCtx, { file }: ProfileImageUpload): Promise<Account> {
  return setImage(ctx, 'header', file)
}

export function deleteAvatar(ctx: UserCtx): Promise<void> {
  return deleteImage(ctx, 'avatar')
}

export function deleteHeader(ctx: UserCtx): Promise<void> {
  return deleteImage(ctx, 'header')
}

async function setImage(ctx: UserCtx, place: Place, file: File): Promise<Account> {
  const upload = await bytesOf(file)
  const { files, ...described } = await encodeImage(ctx.env.IMAGES, upload, shapes[place])
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  await withFreshId(ctx, shardOf(accountId), media.id, async (id) => {
    await putObjects(ctx, id, files)
    const change = db.batch([
      countImage(db, accountId, upload.length, imageQuotas(ctx)),
      markDeleted(db, isCurrent(accountId, place)),
      db.insert(media).values({ id, accountId, postId: IN_PROFILE, alt: '', ...described }),
      setProfileImage(db, accountId, columns[place], id),
    ])
    await withinQuotas(ctx, id, change)
  })
  ctx.defer(() => purgeDeleted(ctx, db))
  const account = (await loadAccounts(ctx, [accountId])).get(accountId)
  if (!account) throw notFound()
  return account
}

async function deleteImage(ctx: UserCtx, place: Place): Promise<void> {
  const accountId = ctx.viewer.id
  const db: Database = ctx.db.shardOf(accountId)
  const [deleted] = await db.batch([
    markDeleted(db, isCurrent(accountId, place)),
    setProfileImage(db, accountId, columns[place], null),
  ])
  if (deleted.length > 0) ctx.defer(() => purgeDeleted(ctx, db))
}

function isCurrent(accountId: Id, place: Place) {
  const current = query.select({ id: accounts[columns[place]] }).from(accounts).where(eq(accounts.id, accountId))
  return and(inArray(media.id, current), eq(media.accountId, accountId))
}
