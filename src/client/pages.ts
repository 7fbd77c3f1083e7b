export type PageOf<Item> = { items: Item[]; nextCursor: string | null }

/** The items of a list from the first to the last page, each page requested when its items are needed. */
export type Pages<Item, Page> = AsyncIterable<Item> & {
  /** The same list, page by page. */
  pages: () => AsyncGenerator<Page, void>
}

type Read<Page> = (cursor: string | undefined) => Promise<Page>

export function pagesOf<Item, Page extends PageOf<Item>>(read: Read<Page>, first?: string): Pages<Item, Page> {
  async function* pages() {
    let cursor: string | null | undefined = first
    do {
      const page: Page = await read(cursor)
      yield page
      cursor = page.nextCursor
    } while (cursor !== null)
  }
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { items } of pages()) yield* items
    },
  }
}
