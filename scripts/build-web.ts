import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Output, outputsOf, replaceFiles } from './write-files.ts'

const outdir = 'dist/web'

/** Builds the static assets that the Worker serves: the pages, the API documentation and, if wanted, GraphiQL. */
export async function buildWeb({ withGraphiql = false } = {}): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: {
      main: 'src/web/main.tsx',
      'push-worker': 'src/web/push-worker.ts',
      'docs/open': 'src/web/docs/open.ts',
      ...(withGraphiql && graphiqlEntries),
    },
    outdir,
    chunkNames: 'parts/[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  })
  const names = ['index.html', 'icon.svg', '_headers', 'docs/index.html', 'docs/docs.css']
  const fixed = names.map((name) => copyOf(name, `src/web/${name}`))
  replaceFiles(outdir, [
    ...outputsOf(outputFiles, outdir),
    ...fixed,
    ...docs(),
    ...(withGraphiql ? await graphiql() : []),
  ])
}

const copyOf = (name: string, path: string): Output => ({ name, contents: readFileSync(path) })

function docs(): Output[] {
  return [
    copyOf('docs/swagger-ui.css', fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css'))),
    copyOf('docs/swagger-ui-bundle.js', fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'))),
  ]
}

const graphiqlEntries = {
  'graphiql/workers': 'src/web/graphiql/workers.ts',
  'graphiql/open': 'src/web/graphiql/open.ts',
}

/** GraphiQL and the workers of its editor, from the package that Yoga inlines. Nothing is loaded from a CDN. */
async function graphiql(): Promise<Output[]> {
  const files = new URL('graphiql.js', import.meta.resolve('@graphql-yoga/render-graphiql'))
  const parts: Record<string, string> = await import(files.href)
  const named = {
    'graphiql.css': parts.css,
    'graphiql.js': parts.js,
    'editor.worker.js': parts.editorWorkerService,
    'json.worker.js': parts.jsonWorker,
    'graphql.worker.js': parts.graphqlWorker,
  }
  const copies = Object.entries(named).map(([name, contents = '']) => ({ name: `graphiql/${name}`, contents }))
  return [copyOf('graphiql/index.html', 'src/web/graphiql/index.html'), ...copies]
}
