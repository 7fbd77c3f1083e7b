import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { ApiError } from '../../src/client/client.ts'
import { WEBHOOK_PORT } from '../cli.ts'
import type { Person } from './logins.ts'
import { ensure } from './story.ts'

const WAIT_MS = 15_000

type Received = { headers: Record<string, string>; body: string }

/** A server of ada's. Throws if the port is in use. */
async function listen(received: Received[]): Promise<Server> {
  const server = createServer(async (request, response) => {
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
    received.push({ headers: Object.fromEntries(headers), body: await text(request) })
    response.writeHead(204).end()
  })
  server.listen(WEBHOOK_PORT, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Ada's server is told that bob comments on her post, and verifies the message with the stock library. */
export async function receiveWebhook(ada: Person, bob: Person, postId: string): Promise<void> {
  const received: Received[] = []
  const server = await listen(received)
  try {
    const url = `http://127.0.0.1:${WEBHOOK_PORT}/`
    const { id, secret } = await ada.client.createWebhook({ url, events: ['post.commented'] }).catch(explain)
    const comment = await bob.client.createPost({ text: 'Told to a webhook', parentId: postId })
    for (let waited = 0; received.length === 0 && waited < WAIT_MS; waited += 50) await sleep(50)
    const [message] = received
    ensure(message !== undefined, 'ada’s server gets a message')
    const payload: unknown = new Webhook(secret).verify(message.body, message.headers)
    const expected = { postId: comment.id, parentId: postId, actorId: bob.id }
    ensure(
      message.body.includes(JSON.stringify(expected)),
      `the message has the ids of the comment: ${JSON.stringify(payload)}`,
    )
    await ada.client.deleteWebhook({ webhookId: id })
  } finally {
    server.close()
  }
}

function explain(error: unknown): never {
  const isRefused = error instanceof ApiError && error.status === 422
  throw isRefused ? new Error(`Start the server with --var OUTBOUND_LOCAL_HOSTS:127.0.0.1:${WEBHOOK_PORT}`) : error
}
