import { systemOf, systemOptions } from './cli.ts'
import { main, UsageError } from './command.ts'
import { withSystem } from './databases.ts'

const usage = {
  command: 'npm run keys:rotate',
  purpose: `Replaces the key that signs access tokens and id tokens. The Worker creates a new key with the next token that it
issues. The former key stays published for a day, so tokens that it signed stay valid until they expire.`,
  options: systemOptions,
  examples: ['', '--env production'],
} as const

await main(usage, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError('There are no arguments.')
  const now = Date.now()
  const isLive = `expires_at IS NULL OR expires_at > ${now}`
  const [expired] = await withSystem(systemOf(values), (query) =>
    query('DIRECTORY', `UPDATE jwks SET expires_at = ${now} WHERE ${isLive} RETURNING id`),
  )
  const ids = (expired ?? []).map(({ id }) => id).join(', ')
  const former = ids ? `Verifies tokens for another day: ${ids}.` : 'There was no key.'
  process.stdout.write(`The next token is signed with a new key. ${former}\n`)
})
