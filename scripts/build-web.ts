import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Output, outputsOf, replaceFiles } from './write-files.ts'

const outdir = 'dist/web'

const docsPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>SocialConnect API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/open.js"></script>
  </body>
</html>
`

// `validatorUrl: null`, because otherwise the page loads a badge from another server.
const docsScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })\n`

/** Builds the static assets that the Worker serves: the pages at / and the API documentation at /docs. */
export async function buildWeb(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: ['src/web/main.tsx'],
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  })
  const fixed = ['index.html', 'icon.svg', '_headers'].map((name) => copyOf(name, `src/web/${name}`))
  replaceFiles(outdir, [...outputsOf(outputFiles, outdir), ...fixed, ...docs()])
}

const copyOf = (name: string, path: string): Output => ({ name, contents: readFileSync(path) })

function docs(): Output[] {
  return [
    copyOf('docs/swagger-ui.css', fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css'))),
    copyOf('docs/swagger-ui-bundle.js', fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'))),
    { name: 'docs/index.html', contents: docsPage },
    { name: 'docs/open.js', contents: docsScript },
  ]
}
