import { settleConcurrently } from '../../platform/data/shards.ts'
import { on } from '../../platform/events/events.ts'
import { refreshHub } from '../../platform/realtime/hub.client.ts'
import { mirrorBlock } from './blocks.ts'
import {
  accountBlocked,
  accountFollowed,
  accountHidden,
  accountShown,
  accountSuspended,
  accountUnblocked,
  accountUnfollowed,
  followsToMark,
  suspensionLifted,
} from './events.ts'
import { mirrorFollow } from './follows.ts'
import { markFollows, startMarking } from './hiding.ts'
import { enforceSuspension, spareAdmin } from './suspensions.ts'

export const accountSubscriptions = [
  on(accountFollowed, 'mirror-follow', mirrorFollow),
  on(accountFollowed, 'refresh-hub', (ctx, { followerId }) => refreshHub(ctx, followerId)),
  on(accountUnfollowed, 'mirror-follow', mirrorFollow),
  on(accountUnfollowed, 'refresh-hub', (ctx, { followerId }) => refreshHub(ctx, followerId)),
  on(accountBlocked, 'mirror-block', async (ctx, block) => {
    await mirrorBlock(ctx, block)
    // Then, because posts leave out the other account until this event is acknowledged.
    await settleConcurrently([block.otherId, block.accountId], (id) => refreshHub(ctx, id))
  }),
  on(accountUnblocked, 'mirror-block', mirrorBlock),
  on(accountSuspended, 'enforce-suspension', enforceSuspension),
  on(accountSuspended, 'spare-admin', async (ctx, act) => void (await spareAdmin(ctx, act))),
  on(suspensionLifted, 'enforce-suspension', enforceSuspension),
  on(accountHidden, 'mark-follows', startMarking),
  on(accountShown, 'mark-follows', startMarking),
  on(followsToMark, 'mark-follows', markFollows),
]
