import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const PYTHON_GENERATOR = 'openapi-python-client==0.29.1'
const VERSION = '7.25.0'
const POM = ['--quiet', '--batch-mode', '--file', 'test/clients/java/pom.xml']
const DEADLINE_MS = 300_000
/** Where the tools are kept between runs, outside the project. */
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'socialconnect-clients')
const jar = join(cache, `openapi-generator-cli-${VERSION}.jar`)

/** The command that runs the story with a client. */
type Story = [command: string, ...args: string[]]

export type Language = {
  /** Commands that must be installed already. */
  needs: string[]
  /** Downloads the tools unless they are installed already. */
  install: (folder: string) => void
  /** Generates the client in `folder` from the document. Null if it is only generated, and not run. */
  generate: (folder: string, document: string) => Story | null | Promise<Story>
}

const generatorNeeds = ['java', 'mvn']

export const languages: Record<string, Language> = {
  python: {
    needs: ['python3'],
    install: () => {
      run('python3', '-m', 'venv', cache)
      run(join(cache, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', PYTHON_GENERATOR)
    },
    generate: (folder, document) => {
      const where = ['--path', document, '--output-path', join(folder, 'client'), '--meta', 'none']
      run(join(cache, 'bin/openapi-python-client'), 'generate', ...where)
      copyFileSync('test/clients/python_story.py', join(folder, 'story.py'))
      return [join(cache, 'bin/python'), join(folder, 'story.py')]
    },
  },
  java: {
    needs: ['java', 'javac', 'mvn'],
    install: (folder) => {
      const goals = ['dependency:resolve-plugins', 'dependency:build-classpath']
      run('mvn', ...POM, ...goals, `-Dmdep.outputFile=${join(folder, 'classpath')}`, `-Dbuild=${folder}`)
    },
    generate: (folder, document) => {
      run('mvn', ...POM, 'compile', `-Ddocument=${document}`, `-Dbuild=${folder}`)
      const classpath = readFileSync(join(folder, 'classpath'), 'utf8').trim()
      return ['java', '-cp', `${join(folder, 'classes')}:${classpath}`, 'Story']
    },
  },
  typescript: {
    needs: generatorNeeds,
    install: installGenerator,
    generate: async (folder, document) => {
      generateWith('typescript-fetch', join(folder, 'client'), document)
      const [story, output] = [join(folder, 'story.ts'), join(folder, 'story.mjs')]
      copyFileSync('test/clients/typescript_story.txt', story)
      const strict = '--noEmit --strict --target es2023 --module esnext --moduleResolution bundler --skipLibCheck'
      const types = ['--typeRoots', join(process.cwd(), 'node_modules/@types'), '--types', 'node']
      run(process.execPath, 'node_modules/typescript/bin/tsc', '--ignoreConfig', ...strict.split(' '), ...types, story)
      await build({ entryPoints: [story], outfile: output, bundle: true, platform: 'node', format: 'esm' })
      return [process.execPath, output]
    },
  },
  kotlin: generated('kotlin'),
  swift: generated('swift6'),
  go: generated('go'),
  rust: generated('rust'),
}

/** A client that is generated, but not run. */
function generated(generator: string): Language {
  return {
    needs: generatorNeeds,
    install: installGenerator,
    generate: (folder, document) => {
      generateWith(generator, folder, document)
      return null
    },
  }
}

function installGenerator(): void {
  mkdirSync(cache, { recursive: true })
  const artifact = `-Dartifact=org.openapitools:openapi-generator-cli:${VERSION}`
  if (!existsSync(jar)) run('mvn', '--quiet', '--batch-mode', 'dependency:copy', artifact, `-DoutputDirectory=${cache}`)
}

/** Warnings that say nothing about the document. Names are "renamed" in Rust whenever their case changes. */
const HARMLESS =
  /3\.1 support is still in beta|cannot be used as (a )?.*name\. Renamed to|Failed to get the schema name: null/
const TELLING = /\b(WARN|ERROR)\b|Inline schema created as/

function generateWith(generator: string, folder: string, document: string): void {
  const output = run('java', '-jar', jar, 'generate', '-g', generator, '-i', document, '-o', folder)
  const warnings = output.split('\n').filter((line) => TELLING.test(line) && !HARMLESS.test(line))
  if (warnings.length > 0) throw new Error(`The generator ${generator} warns:\n${warnings.join('\n')}`)
}

function run(command: string, ...args: string[]): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: DEADLINE_MS,
    maxBuffer: 64 << 20,
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${error?.message ?? ''}${stdout}${stderr}`)
  return stdout + stderr
}
