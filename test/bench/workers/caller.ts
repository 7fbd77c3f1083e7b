import { type PostService, unwrap } from 'socialconnect/rpc'

type Env = { POSTS: PostService; SOCIAL: Fetcher }

// The Worker of another team that reads a post: over REST with a token, or by RPC.

export default {
  async fetch(request: Request, { POSTS, SOCIAL }: Env): Promise<Response> {
    const [, how, postId = '', as = ''] = new URL(request.url).pathname.split('/')
    if (how === 'rpc') return Response.json(unwrap(await POSTS.getPost({ postId }, { as })))
    const response = await SOCIAL.fetch(`https://bench.internal/v1/posts/${postId}`, { headers: request.headers })
    return Response.json(await response.json(), response)
  },
}
