// Must run before GraphiQL, whose editor starts these workers.
const names: Record<string, string> = { graphql: 'graphql', json: 'json' }

Reflect.set(self, 'MonacoEnvironment', {
  globalAPI: false,
  getWorkerUrl: (_: string, label: string) => `/graphiql/${names[label] ?? 'editor'}.worker.js`,
})
