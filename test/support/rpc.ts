import { exports } from 'cloudflare:workers'
import type { AnalyticsService, NotificationService, PostService, RpcResult, UserService } from '../../src/rpc.ts'

type Props = { caller?: string; actsAs?: string; scopes?: string[]; staff?: boolean }
type Bindings = {
  USERS: UserService
  POSTS: PostService
  NOTIFICATIONS: NotificationService
  ANALYTICS: AnalyticsService
}

export const allScopes = [
  'accounts:read',
  'accounts:write',
  'posts:read',
  'posts:write',
  'media:write',
  'notifications:read',
  'notifications:write',
]

/** The service bindings of another Worker, with these props, or exactly `props` if they are not an object of options. */
export function bindings(changed: Props = {}): Bindings {
  return boundWith({ caller: 'billing', actsAs: 'users', scopes: allScopes, ...changed })
}

/** Crosses the same boundary as a service binding of another Worker: workerd serializes the call and its result. */
export function boundWith(props: unknown): Bindings {
  const bound = (name: 'UserService' | 'PostService' | 'NotificationService' | 'AnalyticsService') =>
    (exports[name] as unknown as (options: { props: unknown }) => unknown)({ props })
  return {
    USERS: bound('UserService') as UserService,
    POSTS: bound('PostService') as PostService,
    NOTIFICATIONS: bound('NotificationService') as NotificationService,
    ANALYTICS: bound('AnalyticsService') as AnalyticsService,
  }
}

/** The code of a failed call; null if it succeeded. */
export async function codeOf(call: Promise<RpcResult<unknown>>): Promise<string | null> {
  const result = await call
  return result.ok ? null : result.error.code
}

/** Calls an operation by its name, for sweeps. */
export function callByName(target: Bindings, service: string, id: string, input: unknown, call?: object) {
  const key = {
    UserService: 'USERS',
    PostService: 'POSTS',
    NotificationService: 'NOTIFICATIONS',
    AnalyticsService: 'ANALYTICS',
  }[service]
  const methods = target[key as keyof Bindings] as unknown as Record<
    string,
    (...args: unknown[]) => Promise<RpcResult<unknown>>
  >
  return methods[id]!(input, call)
}
