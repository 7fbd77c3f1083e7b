/** An R2 bucket in memory, with the two calls that account keys need. */
export function memoryBucket(): R2Bucket {
  const objects = new Map<string, string>()
  const bucket = {
    get: async (key: string) => (objects.has(key) ? { text: async () => objects.get(key) } : null),
    put: async (key: string, value: string) => (objects.has(key) ? null : objects.set(key, value)),
  }
  return bucket as unknown as R2Bucket
}
