import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { main } from './command.ts'
import { type Output, outputsOf, replaceFiles } from './write-files.ts'

/** Where the package of the client is built. */
export const clientFolder = 'dist/client'

const ENTRY = 'src/client/client.ts'
const TSC = ['node_modules/typescript/bin/tsc', '-p', 'src/client', '--noEmit', 'false']

async function bundle(minify: boolean): Promise<Output[]> {
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    outdir: clientFolder,
    bundle: true,
    minify,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  return outputsOf(outputFiles, clientFolder)
}

/** The size of the whole client, minified and compressed, in bytes. */
export async function clientSize(): Promise<number> {
  return (await bundle(true)).reduce((sum, { contents }) => sum + gzipSync(contents).length, 0)
}

function declarations(): Output[] {
  const folder = mkdtempSync(join(tmpdir(), 'socialconnect-client-'))
  try {
    const { status, stdout } = spawnSync(
      process.execPath,
      [...TSC, '--declaration', '--emitDeclarationOnly', '--outDir', folder],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(`The types of the client cannot be built:\n${stdout}`)
    return readdirSync(folder).map((name) => ({ name, contents: readFileSync(join(folder, name)) }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The package has no dependencies, in contrast to the project, whose dependencies are those of the Worker. */
function manifest(): Output {
  const { name, version, license, description, type, engines } = JSON.parse(readFileSync('package.json', 'utf8'))
  const exports = { './client': { types: './client.d.ts', default: './client.js' } }
  const own = { name, version, license, description, type, engines, sideEffects: false, exports }
  return { name: 'package.json', contents: `${JSON.stringify(own, null, 2)}\n` }
}

/** Builds the package `socialconnect` with the client, for `npm pack` and for other projects to depend on. */
export async function buildClient(): Promise<void> {
  const texts = { 'README.md': 'src/client/README.md', LICENSE: 'LICENSE' }
  const copies = Object.entries(texts).map(([name, path]) => ({ name, contents: readFileSync(path) }))
  replaceFiles(clientFolder, [...(await bundle(false)), ...declarations(), ...copies, manifest()])
}

const usage = {
  command: 'npm run client',
  purpose: `Builds the package of the typed client in ${clientFolder}, and prints its size.`,
  examples: [''],
}

if (import.meta.main) {
  await main(usage, async () => {
    await buildClient()
    process.stdout.write(`${clientFolder}: ${((await clientSize()) / 1024).toFixed(1)} KiB, minified and compressed\n`)
  })
}
