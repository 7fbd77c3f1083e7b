import { on } from '../../platform/events/events.ts'
import { storeApiKeys } from '../../platform/security/api-keys.ts'
import { revokeApiKey } from './api-keys.ts'
import { apiKeyCreated, apiKeyDeleted } from './events.ts'
import { readApiKeys } from './queries.ts'

export const apiKeySubscriptions = [
  on(apiKeyCreated, 'store-in-guard', async (ctx, { accountId }) =>
    storeApiKeys(ctx, accountId, await readApiKeys(ctx, accountId)),
  ),
  on(apiKeyDeleted, 'revoke', (ctx, { accountId, apiKeyId }) => revokeApiKey(ctx, accountId, apiKeyId)),
]
