import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Output, outputsOf, replaceFiles } from './write-files.ts'

const outdir = 'dist/web'

/** Builds the static assets that the Worker serves: the pages at / and the API documentation at /docs. */
export async function buildWeb(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: { main: 'src/web/main.tsx', 'docs/open': 'src/web/docs/open.ts' },
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  })
  const names = ['index.html', 'icon.svg', '_headers', 'docs/index.html', 'docs/docs.css']
  const fixed = names.map((name) => copyOf(name, `src/web/${name}`))
  replaceFiles(outdir, [...outputsOf(outputFiles, outdir), ...fixed, ...docs()])
}

const copyOf = (name: string, path: string): Output => ({ name, contents: readFileSync(path) })

function docs(): Output[] {
  return [
    copyOf('docs/swagger-ui.css', fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css'))),
    copyOf('docs/swagger-ui-bundle.js', fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'))),
  ]
}
