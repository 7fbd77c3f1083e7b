import { on } from '../../platform/events/events.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { accountSuspended } from '../accounts/events.ts'
import { continueEnding, endAppsOfSuspended } from './ending.ts'
import * as events from './events.ts'
import { appLoginsToEnd, appRemoved } from './events.ts'
import { appJobs } from './jobs.ts'

const subscriptions = [
  on(appRemoved, 'revoke-tokens', (ctx, { accountId, sessionIds }) => revokeSessions(ctx, accountId, sessionIds)),
  on(accountSuspended, 'end-logins-of-apps', endAppsOfSuspended),
  on(appLoginsToEnd, 'end-logins', continueEnding),
]

export const appWork = { events: Object.values(events), subscriptions, jobs: appJobs }
