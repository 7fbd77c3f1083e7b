import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

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

// Without validatorUrl: null the page would ask a foreign server for a badge.
const docsScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })\n`

/** Builds what the Worker serves as static assets: the pages at / and the API's documentation at /docs. */
export async function buildPages(): Promise<void> {
  await build({
    entryPoints: ['src/web/main.tsx'],
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  })
  cpSync('src/web', outdir, { recursive: true, filter: (path) => !/\.tsx?$|\/style$|tsconfig\.json$/.test(path) })
  buildDocs()
}

function buildDocs(): void {
  const docs = join(outdir, 'docs')
  mkdirSync(docs, { recursive: true })
  cpSync(fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui.css')), join(docs, 'swagger-ui.css'))
  cpSync(fileURLToPath(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')), join(docs, 'swagger-ui-bundle.js'))
  writeFileSync(join(docs, 'index.html'), docsPage)
  writeFileSync(join(docs, 'open.js'), docsScript)
}
