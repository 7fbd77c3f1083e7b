import type { TypedService } from './registry.ts'
import type { Methods } from './surfaces/rpc/types.ts'

// What other Workers import as `socialconnect/rpc`: types, and a function of ten lines (docs/rpc.md).

export { RpcFailure, unwrap } from './surfaces/rpc/caller.ts'
export type { Call, RpcError, RpcResult } from './surfaces/rpc/types.ts'

export type UserService = Methods<TypedService, 'UserService'>
export type PostService = Methods<TypedService, 'PostService'>
export type NotificationService = Methods<TypedService, 'NotificationService'>
export type AnalyticsService = Methods<TypedService, 'AnalyticsService'>
