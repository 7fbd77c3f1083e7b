import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { type ClientDetails, openClients } from '../../platform/security/clients.ts'
import { Detail, readDetail } from './details.ts'
import type { AuditRow } from './tables.ts'

export const AuditEntry = z
  .object({
    id: Id,
    at: z.iso.datetime(),
    action: z.string().openapi({ description: 'What happened, such as `role-changed`' }),
    accountId: Id.nullable().openapi({ description: 'The account that it concerns' }),
    actorId: Id.nullable().openapi({
      description: 'Who did it. Null if that is unknown; in `listMyAudit` also for actions of the staff',
    }),
    device: z.string().nullable().openapi({ description: 'The client of the actor' }),
    place: z.string().nullable(),
    address: z.string().nullable().openapi({ description: 'The IP address of the actor' }),
    detail: Detail.nullable().openapi({
      description: 'What was done, such as the new role or the reason. Depends on the action',
    }),
  })
  .openapi('AuditEntry', {
    example: {
      action: 'role-changed',
      device: 'Firefox on Linux',
      place: 'London, GB',
      address: '192.0.2.7',
      detail: { role: 'moderator' },
    },
  })
export type AuditEntry = z.infer<typeof AuditEntry>

const keyOwner = ({ actorId, accountId }: AuditRow) => actorId ?? accountId

/** Adds the device, place and address to the entries. They are null if the key that sealed them was destroyed. */
export async function presented(ctx: SystemCtx, rows: readonly AuditRow[]): Promise<AuditEntry[]> {
  const clients = new Map<AuditRow, ClientDetails | null>()
  await mapConcurrently([...Map.groupBy(rows, keyOwner)], async ([owner, own]) => {
    if (owner === null) return
    const opened = await openClients(
      ctx,
      owner,
      own.map(({ client }) => client),
    )
    own.forEach((row, i) => void clients.set(row, opened[i] ?? null))
  })
  return rows.map((row) => entryOf(row, clients.get(row)))
}

/**
 * The entries as the account itself sees them: without the actor and the client of actions by staff. If the actor is
 * unknown, it may be somebody who mistyped a name: device and place show an attack, the address would identify them.
 */
export async function presentedTo(ctx: SystemCtx, accountId: Id, rows: readonly AuditRow[]): Promise<AuditEntry[]> {
  const isOwn = ({ actorId }: AuditRow) => actorId === null || actorId === accountId
  const shown = rows.map((row) => (isOwn(row) ? row : { ...row, client: null }))
  const entries = await presented(ctx, shown)
  return entries.map(({ detail, ...entry }) => {
    const { readActorId, ...shown } = detail ?? {}
    const isOwn = entry.actorId === accountId
    const known = isOwn ? entry : { ...entry, actorId: null, address: null }
    return { ...known, detail: detail && shown }
  })
}

function entryOf({ detail, ...row }: AuditRow, client: ClientDetails | null = null): AuditEntry {
  const { id, action, accountId, actorId } = row
  const { device = null, place = null, address = null } = client ?? {}
  const at = new Date(row.at).toISOString()
  return { id, at, action, accountId, actorId, device, place, address, detail: readDetail(detail) }
}
