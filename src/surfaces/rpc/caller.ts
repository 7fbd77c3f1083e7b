import type { RpcError, RpcResult } from './types.ts'

/** What `unwrap` throws: a failure of the called operation, with the same `code` as over REST. */
export class RpcFailure extends Error {
  readonly code: string
  readonly error: RpcError

  constructor(error: RpcError) {
    super(`${error.code}: ${error.detail ?? error.title}`)
    this.name = 'RpcFailure'
    this.code = error.code
    this.error = error
  }
}

/** The value of a call, as in `unwrap(await env.POSTS.getPost({ postId }))`. Throws `RpcFailure`. */
export function unwrap<T>(result: RpcResult<T>): T {
  if (result.ok) return result.value
  throw new RpcFailure(result.error)
}
