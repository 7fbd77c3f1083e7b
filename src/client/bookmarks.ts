/** The latest bookmark of each database, so that reads include this client's own writes. */
export class Bookmarks {
  readonly #latest = new Map<string, string>()

  // Responses may arrive out of order. Bookmarks sort by age, so the greatest one is kept.
  remember(header: string | null = ''): void {
    for (const pair of header?.split(';') ?? []) {
      const [database = '', bookmark = ''] = pair.split('=')
      if (bookmark > (this.#latest.get(database) ?? '')) this.#latest.set(database, bookmark)
    }
  }

  header(): string {
    return [...this.#latest].map((pair) => pair.join('=')).join(';')
  }
}
