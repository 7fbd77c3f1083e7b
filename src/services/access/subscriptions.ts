import { on } from '../../platform/events/events.ts'
import {
  attributesGiven,
  grantGiven,
  grantRevoked,
  holdersToSync,
  roleDefined,
  roleDeleted,
  rolesGiven,
} from './events.ts'
import { syncRights } from './queries.ts'
import { continueSyncing, startSyncing, syncRole } from './roles.ts'

export const accessSubscriptions = [
  on(rolesGiven, 'sync-rights', (ctx, act) => syncRights(ctx, act)),
  on(attributesGiven, 'sync-rights', (ctx, act) => syncRights(ctx, act)),
  on(grantGiven, 'sync-rights', (ctx, act) => syncRights(ctx, act)),
  on(grantRevoked, 'sync-rights', (ctx, act) => syncRights(ctx, act)),
  on(roleDefined, 'sync-holders', syncRole),
  on(roleDeleted, 'sync-holders', startSyncing),
  on(holdersToSync, 'sync-holders', continueSyncing),
]
