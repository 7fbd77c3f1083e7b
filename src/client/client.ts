import { Calls, type Name } from './calls.ts'
import { type ListenOptions, type LiveEvent, listen } from './listen.ts'
import { type Operations, operations } from './operations.ts'
import type { CallOptions, ClientOptions } from './options.ts'
import { type PageOf, type Pages, pagesOf } from './pages.ts'
import type { Session } from './session.ts'

type Method<Input, Output> =
  Record<never, never> extends Input
    ? (input?: Input, options?: CallOptions) => Promise<Output>
    : (input: Input, options?: CallOptions) => Promise<Output>

type Methods = { [N in Name]: Method<Operations[N]['input'], Operations[N]['output']> }

type Paged = { [N in Name]: Operations[N]['output'] extends PageOf<unknown> ? N : never }[Name]

type ItemOf<Page> = Page extends PageOf<infer Item> ? Item : never

type PageMethod<Input, Page> =
  Record<never, never> extends Input
    ? (input?: Input, options?: CallOptions) => Pages<ItemOf<Page>, Page>
    : (input: Input, options?: CallOptions) => Pages<ItemOf<Page>, Page>

type PageMethods = { [N in Paged]: PageMethod<Operations[N]['input'], Operations[N]['output']> }

/** One method per operation of the API, and what belongs to no single operation. */
export type Client = Methods & {
  /** The same lists as async iterators: `for await (const post of client.pages.getHomeFeed())`. */
  pages: PageMethods
  /**
   * What happens now, over a WebSocket: `for await (const event of client.listen({ channels: ['notifications'] }))`.
   * It connects again after every interruption, and ends when the loop is left, the signal aborted or the login ended.
   */
  listen: (options?: ListenOptions) => AsyncGenerator<LiveEvent, void>
  /** The login: starts with `logIn` or `verifyAddress`, ends with `logOut`, and is renewed when needed. */
  session: Pick<Session, 'start' | 'resume' | 'refresh' | 'forget' | 'end'>
  /** What another client needs to see the writes of this one: its option `bookmarks`. */
  bookmarks: () => string
}

/**
 * Makes a client of the API. It sends nothing before its first call.
 * @example
 * const client = createClient({ origin: 'https://social.example' })
 * await client.logIn({ identifier: 'ada', password })
 * await client.createPost({ text: 'Hello' })
 */
export function createClient(options: ClientOptions): Client {
  const calls = new Calls(options)
  const names = Object.keys(operations) as Name[]
  const methodOf = (name: Name) => (input: object, own?: CallOptions) => calls.call(name, input ?? {}, own)
  const listOf =
    (name: Name) =>
    (input: { cursor?: string } = {}, own?: CallOptions) =>
      pagesOf((cursor) => calls.call<PageOf<unknown>>(name, { ...input, cursor }, own), input.cursor)
  const all = (make: (name: Name) => unknown) => Object.fromEntries(names.map((name) => [name, make(name)]))
  const methods = all(methodOf) as Methods
  const pages = all(listOf) as PageMethods
  return {
    ...methods,
    pages,
    listen: (own = {}) => listen(calls, own),
    session: calls.session,
    bookmarks: () => calls.bookmarks.header(),
  }
}

export { ApiError, type Code, isCode } from './errors.ts'
export type { Channel, Frame } from './frames.ts'
export type { ListenOptions, LiveEvent } from './listen.ts'
export type { Operations } from './operations.ts'
export type { CallOptions, ClientOptions, TokenStore } from './options.ts'
export { memoryStore } from './session.ts'
export type * from './wire.ts'
