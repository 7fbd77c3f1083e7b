import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readToken } from '../../scripts/demo/inbox.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { checkTypes, type World } from './client-world.ts'

const PASSWORD = 'seven xk nine zq three'
const hasPython = spawnSync('python3', ['--version']).status === 0
if (!hasPython) process.stderr.write('Skipping the bot in Python: python3 cannot be found.\n')

/** The program in docs/clients.md whose code block has this language. */
function program(language: string): string {
  const [, text] = new RegExp(`\n\`\`\`${language}\n(.*?)\n\`\`\``, 's').exec(readFileSync('docs/clients.md', 'utf8'))!
  return text!
}

async function register(origin: string, handle: string): Promise<Client> {
  const client = createClient({ origin })
  const email = `${handle}@people.example`
  const { registrationToken } = await client.register({ handle, email, password: PASSWORD })
  await client.verifyAddress({ token: await readToken(origin, email), registrationToken })
  return client
}

type Bot = { file: string; command: string; handle: string }
type Answers = { count: number; own: Client; onAnswer?: () => Promise<void> }

function start({ app, server }: World, { file, command, handle }: Bot): ChildProcessByStdio<null, Readable, null> {
  const env = { ...process.env, ORIGIN: server.origin, HANDLE: handle, PASSWORD }
  return spawn(command, [file], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] })
}

/**
 * Runs the bot until it has answered so many mentions, and marked them as read: otherwise, it repeats answers when it is
 * started again. Calls `onAnswer` after each answer but the last. `own` is another login of the bot's account.
 */
async function run(world: World, bot: Bot, { count: answers, own, onAnswer }: Answers): Promise<void> {
  const unread = async () => (await own.countUnreadNotifications()).count
  const running = start(world, bot)
  const exited = once(running, 'exit')
  let count = 0
  for await (const line of createInterface(running.stdout)) {
    expect(line).toBe('answered @ada')
    count += 1
    if (count < answers) await onAnswer?.()
    if (count !== answers) continue
    await expect.poll(unread, { interval: 500 }).toBe(0)
    running.kill()
  }
  await exited
  expect(count).toBe(answers)
}

async function answersTo(client: Client, postId: string): Promise<string[]> {
  const { items } = await client.listComments({ postId })
  return items.map(({ author, text }) => `${author.handle}: ${text}`)
}

export function botTests(world: World): void {
  let ada: Client | undefined

  async function answersMentions(language: string, bot: Bot): Promise<void> {
    const { app, server } = world
    const { handle } = bot
    writeFileSync(join(app, bot.file), program(language))
    const own = await register(server.origin, handle)
    ada ??= await register(server.origin, 'ada')
    const client = ada
    const ids: string[] = []
    const mention = async () => void ids.push((await client.createPost({ text: `Are you there, @${handle}?` })).id)
    await mention()
    await run(world, bot, { count: 2, own, onAnswer: mention })
    await mention()
    await run(world, bot, { count: 1, own })
    // The lists of comments are filled by events.
    for (const postId of ids)
      await expect
        .poll(() => answersTo(client, postId), { timeout: 60_000, interval: 1_000 })
        .toEqual([`${handle}: Hello @ada, you called?`])
  }

  test.each(['ts', 'python'])('the bot in %s has fewer than 40 lines', (language) => {
    expect(program(language).split('\n').length).toBeLessThan(40)
  })

  test('the bot in TypeScript is correctly typed', () => {
    expect(checkTypes(world, 'bot.ts', program('ts'))).toBe('')
  })

  test('the bot in TypeScript answers each mention once: earlier ones, live ones, and after a restart', () =>
    answersMentions('ts', { file: 'bot.ts', command: process.execPath, handle: 'ts_bot' }))

  test.skipIf(!hasPython)(
    'the bot in Python answers each mention once: earlier and later ones, and after a restart',
    () => answersMentions('python', { file: 'bot.py', command: 'python3', handle: 'py_bot' }),
  )
}
