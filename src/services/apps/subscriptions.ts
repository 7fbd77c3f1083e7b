import { on } from '../../platform/events/events.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { continueEnding } from './ending.ts'
import { appLoginsToEnd, appRemoved } from './events.ts'

export const appSubscriptions = [
  on(appRemoved, 'revoke-tokens', (ctx, { accountId, sessionIds }) => revokeSessions(ctx, accountId, sessionIds)),
  on(appLoginsToEnd, 'end-logins', continueEnding),
]
