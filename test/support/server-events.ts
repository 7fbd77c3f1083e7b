import { env } from 'cloudflare:workers'
import { fetchWith, randomAddress } from './client.ts'

type Event = {
  data?: Record<string, Record<string, unknown>>
  errors?: { extensions: { code: string } }[]
  /** The code of the first error. */
  code: string | null
}

/** Starts a subscription of GraphQL. `next` returns an event, the problem that refused it, or null at the end. */
export async function subscribe(query: string, token: string | null) {
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'text/event-stream',
    'cf-connecting-ip': randomAddress(),
  })
  if (token) headers.set('authorization', `Bearer ${token}`)
  const response = await fetchWith(env, '/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const { code } = await response.json<{ code: string }>()
    return { next: async (): Promise<Event | null> => ({ code }), close: async () => {} }
  }
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  async function next(): Promise<Event | null> {
    for (;;) {
      const found = /event: (\w+)\ndata: ?(.*)\n\n/.exec(text)
      if (found) {
        text = text.slice(found.index + found[0].length)
        if (found[1] !== 'next') return null
        const event: Omit<Event, 'code'> = JSON.parse(found[2]!)
        return { ...event, code: event.errors?.[0]?.extensions.code ?? null }
      }
      const { value, done } = await reader.read()
      if (done) return null
      text += value
    }
  }
  return { next, close: () => reader.cancel() }
}
