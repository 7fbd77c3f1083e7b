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
  on(accountFollowed, 'mirror-follow', mirrorFollow),
  on(accountUnfollowed, 'mirror-follow', mirrorFollow),
  on(accountBlocked, 'mirror-block', mirrorBlock),
  on(accountUnblocked, 'mirror-block', mirrorBlock),
  on(accountSuspended, 'enforce-suspension', enforceSuspension),
  on(suspensionLifted, 'enforce-suspension', enforceSuspension),
]
