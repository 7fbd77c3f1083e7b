import { useSignal } from '@preact/signals'
import type { Group, JoinRequest } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { cachedList, reload } from '../state/list.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Avatar } from '../ui/avatar.tsx'
import { CheckboxField, FormError, SelectField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { type Form, useForm } from '../ui/use-form.ts'

type Props = { group: Group; load: () => Promise<void> }

/** The link with which others join, and those who ask to. */
export function GroupLinkSettings({ group, load }: Props) {
  const address = useSignal('')
  const form = useForm(async ({ value }) => {
    const audience = value('audience') === 'followed' ? 'followed' : 'anyone'
    const { code } = await client.createGroupLink({ groupId: group.id, audience, approval: value('approval') !== '' })
    address.value = `${window.location.origin}/join#${code}`
    await load()
  })
  const revoke = async () => {
    await client.revokeGroupLink({ groupId: group.id })
    address.value = ''
    await load()
    showToast('The link is not valid any more')
  }
  return (
    <section class="card settings" aria-label="Link">
      <h2>Link to join</h2>
      <div role="status">{address.value && <NewLink address={address.value} />}</div>
      {group.link && (
        <p>
          The group has a link.{' '}
          <button type="button" class="secondary" onClick={() => void revoke().catch(reportError)}>
            Revoke it
          </button>
        </p>
      )}
      <LinkForm form={form} group={group} />
      <Requests group={group} load={load} />
    </section>
  )
}

function LinkForm({ form, group }: { form: Form; group: Group }) {
  return (
    <form class="stack" aria-label="Link to join" {...form.attributes}>
      <SelectField
        form={form}
        name="audience"
        label="For"
        options={{ anyone: 'Anyone', followed: 'People whom the owner follows' }}
        selected={group.link?.audience ?? 'anyone'}
      />
      <CheckboxField form={form} name="approval" checked={group.link?.approval ?? false}>
        An admin decides on each person
      </CheckboxField>
      <FormError form={form} />
      <div class="actions">
        <SubmitButton form={form}>{group.link ? 'Replace the link' : 'Make a link'}</SubmitButton>
      </div>
    </form>
  )
}

function NewLink({ address }: { address: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(address)
    showToast('Copied')
  }
  return (
    <div class="notice secret">
      <p>Copy this link now, because it is not shown again:</p>
      <code>{address}</code>
      <button type="button" class="secondary" onClick={() => void copy().catch(reportError)}>
        Copy
      </button>
    </div>
  )
}

function Requests({ group, load }: Props) {
  const list = cachedList(`requests to join ${group.id}`, (query) =>
    client.listJoinRequests({ ...query, groupId: group.id }),
  )
  useList(list)
  const decide = (decision: Promise<unknown>) =>
    void decision.then(() => Promise.all([reload(list), load()])).catch(reportError)
  if (list.items.value.length === 0) return null
  return (
    <>
      <h3>Requests to join</h3>
      <ListView
        list={list}
        label="Requests to join"
        empty={null}
        render={(one) => <Row request={one} decide={decide} />}
      />
    </>
  )
}

function Row({ request, decide }: { request: JoinRequest; decide: (decision: Promise<unknown>) => void }) {
  const { id: requestId, account } = request
  return (
    <article class="person">
      <Avatar account={account} />
      <div>
        <Link href={`/@${account.handle}`} class="author">
          <b>{account.displayName}</b> <span class="handle">@{account.handle}</span>
        </Link>
        <div class="actions">
          <button type="button" onClick={() => decide(client.approveJoinRequest({ requestId }))}>
            Let join
          </button>
          <button type="button" class="secondary" onClick={() => decide(client.refuseJoinRequest({ requestId }))}>
            Refuse
          </button>
        </div>
      </div>
    </article>
  )
}
