import { on } from '../../platform/events/events.ts'
import { mirrorBlock } from './blocks.ts'
import {
  accountBlocked,
  accountFollowed,
  accountSuspended,
  accountUnblocked,
  accountUnfollowed,
  suspensionLifted,
} from './events.ts'
import { mirrorFollow } from './follows.ts'
import { enforceSuspension } from './suspensions.ts'

export const accountSubscriptions = [
  on(accountFollowed, mirrorFollow),
  on(accountUnfollowed, mirrorFollow),
  on(accountBlocked, mirrorBlock),
  on(accountUnblocked, mirrorBlock),
  on(accountSuspended, enforceSuspension),
  on(suspensionLifted, enforceSuspension),
]
