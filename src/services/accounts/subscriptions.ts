import { on } from '../../platform/events.ts'
import { mirrorBlock } from './blocks.ts'
import { accountBlocked, accountFollowed, accountUnblocked, accountUnfollowed } from './events.ts'
import { mirrorFollow } from './follows.ts'

export const accountSubscriptions = [
  on(accountFollowed, mirrorFollow),
  on(accountUnfollowed, mirrorFollow),
  on(accountBlocked, mirrorBlock),
  on(accountUnblocked, mirrorBlock),
]
