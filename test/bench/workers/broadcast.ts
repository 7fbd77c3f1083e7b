import { DurableObject } from 'cloudflare:workers'

/** The least that a socket and a broadcast can cost: one object, hibernating sockets, no accounts, no database. */
export class Room extends DurableObject<Env> {
  override async fetch(request: Request): Promise<Response> {
    if (request.method === 'POST') {
      const text = await request.text()
      for (const socket of this.ctx.getWebSockets()) socket.send(text)
      return new Response(null, { status: 204 })
    }
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    server.send('{"event":"hello"}')
    return new Response(null, { status: 101, webSocket: client })
  }
}

export default {
  fetch: (request: Request, { ROOM }: { ROOM: DurableObjectNamespace<Room> }) =>
    ROOM.getByName(new URL(request.url).pathname).fetch(request),
}
