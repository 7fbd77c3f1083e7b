import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { classify, type ExportEntry, iso, jsonFile, jsonList, type PersonalData } from '../../platform/personal-data.ts'
import { openAllFor } from '../../platform/security/account-keys.ts'
import { namesFor } from '../accounts/views.ts'
import { readReactionsOf, readWritten } from './conversation.client.ts'
import { eraseConversations } from './erasure.ts'
import type { StoredMessage, Version } from './facts.ts'
import { readGroup } from './group.client.ts'
import { keepingMarks } from './member-frames.ts'
import { GROUP_NAME } from './queries.ts'
import { conversations, messageSettings } from './tables.ts'

const PER_READ = 50

export const messagingData: PersonalData = {
  inventory: {
    ...classify(conversations, {
      accountId: 'owner',
      conversationId: 'exported',
      kind: 'exported',
      name: 'exported',
      memberCount: 'technical',
      otherId: 'exported',
      state: 'exported',
      ended: 'technical',
      position: 'technical',
      changed: 'technical',
      lastSeq: 'technical',
      shownSeq: 'technical',
      shownKind: 'technical',
      lastAt: 'technical',
      lastAuthorId: 'technical',
      lastEvent: 'technical',
      preview: 'technical',
      readSeq: 'exported',
      unread: 'technical',
      mutedUntil: 'exported',
      revision: 'technical',
      version: 'technical',
    }),
    ...classify(messageSettings, { accountId: 'owner', sharesMarks: 'exported' }),
    'object CONVERSATION.conversation': { id: 'technical', last_seq: 'technical', version: 'technical' },
    'object CONVERSATION.members': {
      account_id: 'owner',
      state: 'technical',
      read_seq: 'technical',
      sealed_key: 'secret',
      has_entered: 'technical',
      told: 'technical',
      delivered_seq: 'technical',
      muted_until: 'technical',
      role: 'exported',
      since: 'exported',
      from_seq: 'technical',
      invited_by: 'owner',
    },
    'object CONVERSATION.groups': {
      id: 'technical',
      name: 'technical',
      named_by: 'owner',
      fingerprint: 'technical',
      locked: 'technical',
      visible_from: 'technical',
      adding: 'technical',
      link_hash: 'secret',
      link_audience: 'technical',
      link_approval: 'technical',
      link_expires_at: 'technical',
    },
    'object CONVERSATION.group_events': {
      seq: 'technical',
      event: 'technical',
      actor_id: 'owner',
      subject_id: 'owner',
    },
    'object CONVERSATION.messages': {
      seq: 'exported',
      author_id: 'owner',
      client_id: 'technical',
      at: 'exported',
      body: 'exported',
      revision: 'technical',
      edits: 'technical',
      edited_at: 'exported',
      is_deleted: 'exported',
      reply_to: 'exported',
      is_pinned: 'exported',
    },
    'object CONVERSATION.edits': { seq: 'technical', number: 'technical', at: 'exported', body: 'exported' },
    'object CONVERSATION.reactions': { seq: 'exported', account_id: 'owner', emoji: 'exported', at: 'exported' },
    'object CONVERSATION.images': { media_id: 'exported', seq: 'technical' },
    'object CONVERSATION.hidden': { account_id: 'owner', seq: 'technical', revision: 'technical' },
    'object CONVERSATION.blocks': { account_id: 'owner' },
    'object CONVERSATION.outbox': { key: 'owner', revision: 'technical' },
  },
  exported,
  erase: eraseConversations,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  yield jsonList('conversations.json', ownConversations(ctx, accountId))
  yield jsonFile('message-settings.json', await settingsOf(ctx, accountId))
  yield jsonList('reactions.json', ownReactions(ctx, accountId))
  yield jsonList('messages.json', ownMessages(ctx, accountId))
}

async function* inboxOf(ctx: SystemCtx, accountId: Id) {
  for (let after = ''; ; ) {
    const rows = await ctx.db
      .shardOf(accountId)
      .select()
      .from(conversations)
      .where(and(eq(conversations.accountId, accountId), gt(conversations.conversationId, after)))
      .orderBy(asc(conversations.conversationId))
      .limit(PER_READ)
    // The other member is not told of a conversation without a message.
    const known = rows.filter(({ kind, lastSeq }) => kind === 'group' || lastSeq > 0)
    if (known.length > 0) yield known
    after = rows.at(-1)?.conversationId ?? ''
    if (rows.length < PER_READ) return
  }
}

async function* ownConversations(ctx: SystemCtx, accountId: Id) {
  for await (const rows of inboxOf(ctx, accountId)) {
    const name = await namesFor(
      ctx,
      accountId,
      rows.flatMap(({ otherId }) => otherId ?? []),
    )
    const groups = await openAllFor(
      ctx,
      accountId,
      rows.map((row) => row.name),
      GROUP_NAME,
    )
    const memberships = await mapConcurrently(rows, ({ kind, conversationId }) =>
      kind === 'group' ? readGroup(ctx, conversationId, accountId) : Promise.resolve(null),
    )
    yield rows.map(({ conversationId: id, kind, otherId, state, readSeq, mutedUntil }, i) => {
      const account = otherId && name(otherId)
      const muted = mutedUntil > 0 ? iso(mutedUntil) : null
      const { role = null, since = null } = memberships[i] ?? {}
      const member = { role, since: since && iso(since) }
      return { id, kind, name: groups[i] ?? null, account, state, ...member, readSeq, mutedUntil: muted }
    })
  }
}

async function settingsOf(ctx: SystemCtx, accountId: Id) {
  return { sharesMarks: !(await keepingMarks(ctx, [accountId])).has(accountId) }
}

async function* ownReactions(ctx: SystemCtx, accountId: Id) {
  for await (const rows of inboxOf(ctx, accountId)) {
    for (const { conversationId } of rows) {
      const reactions = await readReactionsOf(ctx, conversationId, accountId)
      if (reactions.length > 0)
        yield reactions.map(({ seq, emoji, at }) => ({ conversationId, seq, emoji, createdAt: iso(at) }))
    }
  }
}

/** Only what the person has written: the messages of others are theirs. */
async function* ownMessages(ctx: SystemCtx, accountId: Id) {
  for await (const rows of inboxOf(ctx, accountId)) {
    for (const { conversationId } of rows) {
      for (let after = 0; ; ) {
        const page = await readWritten(ctx, conversationId, { accountId, after, limit: PER_READ })
        if (page.length > 0)
          yield page.map(({ message, versions }) => ({ conversationId, ...exportedMessage(message, versions) }))
        after = page.at(-1)?.message.seq ?? 0
        if (page.length < PER_READ) break
      }
    }
  }
}

function exportedMessage(
  { seq, kind, at, editedAt, body, replyTo, isPinned }: StoredMessage,
  versions: readonly Version[],
) {
  return {
    seq,
    kind,
    replyTo: replyTo?.seq ?? null,
    createdAt: iso(at),
    editedAt: editedAt && iso(editedAt),
    isPinned,
    text: body?.text ?? null,
    media: (body?.media ?? []).map(({ id, alt }) => ({ id, alt })),
    before: versions.map((version) => ({ createdAt: iso(version.at), text: version.body?.text ?? null })),
  }
}
