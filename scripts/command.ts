import { parseArgs } from 'node:util'

type Option = {
  type: 'string' | 'boolean'
  default?: string | boolean
  multiple?: boolean
  /** What `--help` shows in place of the value, such as DIR. */
  value?: string
  help: string
}
type Options = Readonly<Record<string, Option>>

/** How a script is called, and what `--help` says about it. */
export type Usage<O extends Options> = {
  /** How the script is started, such as `npm run seed`. */
  command: string
  purpose: string
  /** The accepted positional arguments and what they do, such as `grant HANDLE ROLE`. None by default. */
  forms?: Readonly<Record<string, string>>
  options?: O
  /** The arguments after `--`, one text per example. An empty text is an example without arguments. */
  examples: readonly string[]
}

/** The options and positional arguments of a call. */
export type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>

/** Wrong arguments. `main` exits with code 2 and refers to the help. */
export class UsageError extends Error {}

/** Runs a script. If it throws, prints the error message as one line and exits with code 1, or 2 for a `UsageError`. */
export async function main<const O extends Options>(
  usage: Usage<O>,
  script: (parsed: Parsed<O>) => unknown,
): Promise<void> {
  const parsed = parseCommand(usage)
  try {
    await script(parsed)
  } catch (error) {
    if (error instanceof UsageError) refuse(usage, error.message)
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}

/** Parses the arguments of this process. With `--help` or wrong arguments, prints the help or the problem and exits. */
export function parseCommand<const O extends Options>(usage: Usage<O>): Parsed<O> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(helpOf(usage))
    process.exit(0)
  }
  const missed = Object.keys(usage.options ?? {}).find((name) => npmTook(name))
  if (missed) refuse(usage, `npm took --${missed} for itself: write -- before the options.`)
  try {
    const config = { args, options: usage.options ?? {}, allowPositionals: usage.forms !== undefined }
    return parseArgs({ ...config, allowNegative: true }) as Parsed<O>
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\. (?=To )/)
    return refuse(usage, `${sentence?.replace(/\.?$/, '.')}${suggestion(usage, args)}`)
  }
}

/** An option that stands before `--` is for npm itself. The script gets it only as an environment variable. */
const npmTook = (name: string) => process.env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined

function refuse({ command }: Usage<Options>, problem: string): never {
  process.stderr.write(`${problem} See: ${command} -- --help\n`)
  process.exit(2)
}

function suggestion({ options = {} }: Usage<Options>, args: string[]): string {
  const [name = ''] = args.flatMap((arg) => /^--([\w-]+)/.exec(arg)?.slice(1) ?? []).filter((given) => !options[given])
  const near = Object.keys(options).find((known) => distance(known, name) <= 2)
  return near && name ? ` Did you mean --${near}?` : ''
}

/** The number of letters to add, remove or replace that turns one word into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}

function helpOf({ command, purpose, forms, options = {}, examples }: Usage<Options>): string {
  const calls = forms ? Object.keys(forms).map((form) => `${command} -- ${form}`) : [command]
  const described = Object.entries(options).map(([name, option]): [string, string] => [
    signature(name, option),
    about(option),
  ])
  const sections = [
    purpose,
    `Usage:\n${calls.map((call) => `  ${call}${forms ? ' ' : ' -- '}[options]\n`).join('')}`.trimEnd(),
    forms && table('Arguments', Object.entries(forms)),
    table('Options', [...described, ['--help', 'prints this text']]),
    `Examples:\n${examples.map((example) => `  ${command}${example && ` -- ${example}`}`).join('\n')}`,
    'Exit codes: 0 success, 1 failure (the message says why), 2 wrong arguments',
  ]
  return `${sections.filter(Boolean).join('\n\n')}\n`
}

const signature = (name: string, { type, value = 'VALUE' }: Option) =>
  type === 'string' ? `--${name} ${value}` : `--${name}`

const about = (option: Option) => `${option.help}${typeof option.default === 'string' ? ` (${option.default})` : ''}`

function table(title: string, rows: [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return `${title}:\n${rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n')}`
}
