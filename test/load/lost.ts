import { fetchInTime } from '../../scripts/fetch-in-time.ts'
import type { Acknowledged, Target } from './phase.ts'

const AT_ONCE = 8

/** How many acknowledged posts and likes the API does not show. */
export async function countLost({ port, tokens }: Pick<Target, 'port' | 'tokens'>, { posts, likes }: Acknowledged) {
  const [reader] = tokens
  const checks = [
    ...[...posts].map((id) => async () => (await read(port, id, reader!)) !== null),
    ...[...likes].map((like) => async () => {
      const [id, person] = like.split(' ')
      return (await read(port, id!, tokens[Number(person)]!))?.liked === true
    }),
  ]
  let lost = 0
  for (let at = 0; at < checks.length; at += AT_ONCE) {
    const found = await Promise.all(checks.slice(at, at + AT_ONCE).map((check) => check()))
    lost += found.filter((isThere) => !isThere).length
  }
  return lost
}

async function read(port: number, id: string, token: string): Promise<{ liked: boolean } | null> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetchInTime(`http://127.0.0.1:${port}/v1/posts/${id}`, { headers })
  if (answer.status === 404) return null
  if (!answer.ok) throw new Error(`Reading a post failed: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { liked: boolean }
}
