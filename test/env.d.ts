type Migrations = import('cloudflare:test').D1Migration[]
type Bindings = import('../src/platform/config.ts').Env

declare namespace Cloudflare {
  interface Env extends Bindings {
    MIGRATIONS: {
      directory: Migrations
      shard: Migrations
      index: Migrations
      audit: Migrations
      analytics: Migrations
    }
  }
  interface GlobalProps {
    mainModule: typeof import('../src/worker.ts')
  }
}

/** `import.meta.glob`, which Vite provides in tests. */
interface ImportMeta {
  glob<T>(patterns: string[], options: { eager: true; query?: string; import?: string }): Record<string, T>
}

declare module '*?raw' {
  const text: string
  export default text
}

declare module 'cloudflare:test-internal' {
  export function runInRunnerObject<Result>(run: () => Promise<Result>): Promise<Result>
}

declare module 'http_ece' {
  type Keys = { version: 'aes128gcm'; privateKey: import('node:crypto').ECDH; authSecret: string }
  export function decrypt(body: Buffer, keys: Keys): Buffer
}
