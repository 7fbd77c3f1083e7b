import { type Operation, operation } from '../../platform/http/operation.ts'
import { readAccounts, writeAccounts } from '../accounts/policy.ts'
import { credentialsOnly } from '../identity/policy.ts'
import {
  ApiKeyPath,
  ApiKeyRequest,
  ApiKeys,
  ApiKeyWithSecret,
  createApiKey,
  deleteApiKey,
  listApiKeys,
} from './api-keys.ts'
import { tooManyApiKeys } from './failures.ts'
import { apiKeyLimit } from './limits.ts'
import { MAX_API_KEY_DAYS, MAX_API_KEYS } from './policy.ts'

const restOnly = 'Credentials are managed at one place'

export const apiKeyOperations = [
  operation({
    id: 'createApiKey',
    method: 'post',
    path: '/me/api-keys',
    restOnly,
    access: 'user',
    scope: writeAccounts,
    fresh: true,
    limit: apiKeyLimit,
    body: ApiKeyRequest,
    example: { name: 'Weather bot', scopes: ['posts:write'], days: 90 },
    returns: ApiKeyWithSecret,
    status: 201,
    location: ({ id }) => `/me/api-keys/${id}`,
    fails: [tooManyApiKeys],
    noRpc: credentialsOnly,
    summary: 'Create an API key, with which a program uses the API for you',
    description:
      `The \`key\` is never returned again. If the response is lost, delete the key from the list and create another. ` +
      `A key works for at most ${MAX_API_KEY_DAYS} days, and an account has at most ${MAX_API_KEYS}. It has the rights of a user, within its scopes, ` +
      'whatever the role of the account.',
    run: createApiKey,
  }),
  operation({
    id: 'listApiKeys',
    method: 'get',
    path: '/me/api-keys',
    restOnly,
    access: 'user',
    scope: readAccounts,
    login: true,
    returns: ApiKeys,
    noRpc: credentialsOnly,
    summary: 'List your API keys that have not expired, newest first',
    run: listApiKeys,
  }),
  operation({
    id: 'deleteApiKey',
    method: 'delete',
    path: '/me/api-keys/{apiKeyId}',
    restOnly,
    access: 'user',
    scope: writeAccounts,
    login: true,
    params: ApiKeyPath,
    returns: null,
    noRpc: credentialsOnly,
    summary: 'Delete one of your API keys, which revokes it at once',
    run: deleteApiKey,
  }),
] satisfies Operation[]
