import type { z } from '@hono/zod-openapi'
import { desc } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { foldCase } from '../../platform/data/fold.ts'
import type { Id } from '../../platform/data/ids.ts'
import { namedPage, type Page, PageQuery } from '../../platform/data/page.ts'
import { invalid } from '../../platform/failures.ts'
import { type Account, loadAccounts } from '../accounts/views.ts'
import { fromIndex, matches } from './match.ts'
import { expressionsOf } from './names.ts'
import { TypedQuery } from './posts.ts'
import { accountSearch } from './tables.ts'
import { phraseOf } from './tokens.ts'

const SORTED = 50
/** Candidates of each way to match. Hidden ones are replaced, as long as these suffice. */
const LOOKED_AT = 3 * SORTED
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

/** The first 50 that the viewer may see. All candidates are loaded, so that the cost does not tell how many are hidden. */
async function loadVisible(ctx: Ctx, candidates: readonly Id[]): Promise<Map<Id, Account>> {
  const known = await loadAccounts(ctx, candidates)
  const found = candidates.flatMap((id) => known.get(id) ?? []).filter(({ relation }) => !relation?.blocking)
  return new Map(found.slice(0, SORTED).map((account) => [account.id, account]))
}

export function requireText(q: string): string {
  const typed = q.trim().replace(/^[@#]/, '')
  if (Array.from(typed).length > MAX_CHARACTERS) throw invalid('q', `is longer than ${MAX_CHARACTERS} characters`)
  if (!phraseOf(typed)) throw invalid('q', 'has no letter, digit or emoji')
  return typed
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
