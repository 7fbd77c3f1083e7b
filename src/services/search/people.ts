import type { z } from '@hono/zod-openapi'
import { desc } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { foldCase } from '../../platform/data/fold.ts'
import type { Id } from '../../platform/data/ids.ts'
import { namedPage, type Page, PageQuery } from '../../platform/data/page.ts'
import { invalid } from '../../platform/failures.ts'
import { type Account, loadAccounts } from '../accounts/views.ts'
import { fromIndex, matches } from './match.ts'
import { TypedQuery } from './posts.ts'
import { accountSearch } from './tables.ts'
import { phraseOf } from './tokens.ts'

const ROUND = 50
/** Candidates of each way to match. Hidden ones are replaced, as long as these suffice. */
const LOOKED_AT = 3 * ROUND
/** Fewer letters begin the names of a large part of all accounts. */
const SHORTEST_PREFIX = 2
const MAX_WORDS = 10
const MAX_CHARACTERS = 200

export const AccountSearchQuery = PageQuery.pick({ limit: true }).extend({ q: TypedQuery }).strict()

/** Accounts whose handle or name begins with what was typed, then those whose name or bio has its words. */
export async function searchAccounts(
  ctx: Ctx,
  { q, limit }: z.infer<typeof AccountSearchQuery>,
): Promise<Page<Account>> {
  const typed = requireText(q)
  const expressions = expressionsOf(typed)
  const found = await Promise.all(expressions.map((expression) => candidates(ctx, expression)))
  const known = await loadVisible(ctx, [...new Set(found.flat())])
  const sorted = [...known.values()].sort((a, b) => closeness(a, typed) - closeness(b, typed)).slice(0, limit)
  return namedPage(
    sorted.map(({ id }) => id),
    known,
  )
}

/** The first 50 that the viewer may see, so that hidden accounts do not make the list shorter. */
async function loadVisible(ctx: Ctx, candidates: readonly Id[]): Promise<Map<Id, Account>> {
  const visible = new Map<Id, Account>()
  for (let at = 0; at < candidates.length && visible.size < ROUND; at += ROUND) {
    const ids = candidates.slice(at, at + ROUND)
    const known = await loadAccounts(ctx, ids)
    for (const id of ids) {
      const account = known.get(id)
      if (account && !account.relation?.blocking && visible.size < ROUND) visible.set(id, account)
    }
  }
  return visible
}

export function requireText(q: string): string {
  const typed = q.trim().replace(/^[@#]/, '')
  if (Array.from(typed).length > MAX_CHARACTERS) throw invalid('q', `is longer than ${MAX_CHARACTERS} characters`)
  if (!phraseOf(typed)) throw invalid('q', 'has no letter, digit or emoji')
  return typed
}

/** The exact handle is asked for alone, because it may be older than the newest candidates. */
function expressionsOf(typed: string): string[] {
  const words = typed.split(/\s+/u).filter((word) => phraseOf(word))
  if (words.length > MAX_WORDS) throw invalid('q', `has more than ${MAX_WORDS} words`)
  const anywhere = words.map((word, i) => {
    const whole = `{handle name bio} : (${phraseOf(word)})`
    const isPrefix = i === words.length - 1 && Array.from(word).length >= SHORTEST_PREFIX
    return isPrefix ? `(${whole} OR {handle name} : (${phraseOf(word, true)}))` : whole
  })
  const handle = foldCase(typed)
  if (!/^\w{2,30}$/.test(handle)) return [anywhere.join(' AND ')]
  return [`handle : ("${handle}")`, `(handle : ("${handle}" *)) OR (${anywhere.join(' AND ')})`]
}

async function candidates(ctx: Ctx, expression: string): Promise<Id[]> {
  const rows = await fromIndex(
    ctx,
    ctx.db.index
      .select({ id: accountSearch.id })
      .from(accountSearch)
      .where(matches(accountSearch, expression))
      .orderBy(desc(accountSearch.id))
      .limit(LOOKED_AT),
  )
  return rows.map(({ id }) => id)
}

/** Smaller is closer: the handle, its beginning, the beginning of a name, then everything else in its order. */
function closeness({ handle, displayName }: Account, typed: string): number {
  const [wanted, name] = [foldCase(typed), foldCase(displayName)]
  if (handle === wanted) return 0
  if (handle.startsWith(wanted)) return 1
  return name.startsWith(wanted) || name.includes(` ${wanted}`) ? 2 : 3
}
