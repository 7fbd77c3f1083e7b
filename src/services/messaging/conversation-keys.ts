import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openFor, sealFor } from '../../platform/security/account-keys.ts'
import { importKey, openWith, sealWith } from '../../platform/security/crypto.ts'
import type { Body } from './facts.ts'
import type { MemberRows } from './member-rows.ts'

const KEY_BYTES = 32
const KEY_CONTEXT = 'conversation key'

type Written = { authorId: Id; clientId: string; edits: number }

/** Each member has a key for what it writes here, sealed with the key of its account, whose erasure destroys both. */
export class ConversationKeys {
  private readonly known = new Map<Id, CryptoKey>()

  constructor(
    private readonly members: MemberRows,
    readonly ctx: SystemCtx,
  ) {}

  /** Null if the author is no member any more. */
  async seal(written: Written, body: Body): Promise<string | null> {
    const key = (await this.read(written.authorId)) ?? (await this.create(written.authorId))
    return key && sealWith(key, JSON.stringify(body), contextOf(written))
  }

  async open(written: Written, sealed: string): Promise<Body | null> {
    const key = await this.read(written.authorId)
    return key && JSON.parse(await openWith(key, sealed, contextOf(written)))
  }

  private async create(accountId: Id): Promise<CryptoKey | null> {
    const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
    // Another call may have stored a key meanwhile, which then counts.
    this.members.keepKey(accountId, await sealFor(this.ctx, accountId, bytes.toBase64(), KEY_CONTEXT))
    return this.read(accountId)
  }

  private async read(accountId: Id): Promise<CryptoKey | null> {
    const known = this.known.get(accountId)
    if (known) return known
    const sealed = this.members.one(accountId)?.sealedKey
    const plain = sealed ? await openFor(this.ctx, accountId, sealed, KEY_CONTEXT) : null
    if (plain === null) return null
    const key = await importKey(Uint8Array.fromBase64(plain))
    if (this.members.one(accountId)) this.known.set(accountId, key)
    return key
  }
}

const contextOf = ({ authorId, clientId, edits }: Written) =>
  `message:${authorId}:${clientId}${edits > 0 ? `:${edits}` : ''}`
