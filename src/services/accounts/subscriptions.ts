import { on } from '../../platform/events/events.ts'
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
import { enforceSuspension } from './suspensions.ts'

export const accountSubscriptions = [
  on(accountFollowed, 'mirror-follow', mirrorFollow),
  on(accountUnfollowed, 'mirror-follow', mirrorFollow),
  on(accountBlocked, 'mirror-block', mirrorBlock),
  on(accountUnblocked, 'mirror-block', mirrorBlock),
  on(accountSuspended, 'enforce-suspension', enforceSuspension),
  on(suspensionLifted, 'enforce-suspension', enforceSuspension),
  on(accountHidden, 'mark-follows', startMarking),
  on(accountShown, 'mark-follows', startMarking),
  on(followsToMark, 'mark-follows', markFollows),
]
