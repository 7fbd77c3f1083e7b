import { env } from 'cloudflare:workers'
import { fetchWith } from './client.ts'

type Request = { method: string; json?: object; token?: string; address?: string }

/** Sends a request, and runs `meanwhile` just before the batch `n` (0 is the first) that it sends to the directory. */
export async function inBetween(
  n: number,
  meanwhile: () => Promise<unknown>,
  path: string,
  { method, json, token, address = '192.0.2.83' }: Request,
): Promise<Response> {
  let batches = 0
  const withSession = (start: D1SessionConstraint) => {
    const session = env.DIRECTORY.withSession(start)
    return {
      prepare: (query: string) => session.prepare(query),
      getBookmark: () => session.getBookmark(),
      batch: async (statements: D1PreparedStatement[]) => {
        if (batches++ === n) await meanwhile()
        return session.batch(statements)
      },
    }
  }
  const response = await fetchWith({ ...env, DIRECTORY: { withSession } }, path, {
    method,
    headers: {
      'cf-connecting-ip': address,
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: json === undefined ? null : JSON.stringify(json),
  })
  if (batches <= n) throw new Error(`the request sent only ${batches} batches`)
  return response
}
