/** The latest bookmark of each database, so that reads include this client's own writes. */
export type Bookmarks = { remember: (header: string | null | undefined) => void; header: () => string }

export function createBookmarks(): Bookmarks {
  const latest = new Map<string, string>()
  return {
    // Responses may arrive out of order. Bookmarks sort by age, so the greatest one is kept.
    remember: (header) => {
      for (const pair of (header ?? '').split(';')) {
        const [database = '', bookmark = ''] = pair.split('=')
        if (bookmark > (latest.get(database) ?? '')) latest.set(database, bookmark)
      }
    },
    header: () => [...latest].map((pair) => pair.join('=')).join(';'),
  }
}
