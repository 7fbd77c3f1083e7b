import type { Group as Facts, Member } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { inbox } from '../state/conversations.ts'
import { cachedList, clear, reload } from '../state/list.ts'
import { navigate } from '../state/location.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Avatar } from '../ui/avatar.tsx'
import { askConfirmation } from '../ui/dialog.tsx'
import { CheckboxField, Field, FormError, SelectField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { Loading, useData } from '../ui/loading.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { GroupLinkSettings } from './group-link.tsx'
import { handlesIn, idOf } from './new-group.tsx'
import { ErrorView } from './not-found.tsx'

/** The members and settings of a group. */
export function Group({ id }: { id: string }) {
  const { data, error, load } = useData(() => client.getGroup({ groupId: id }))
  if (error.value) return <ErrorView title="Group" error={error.value} retry={load} />
  const group = data.value
  if (!group) return <View title="Group" children={<Loading />} />
  const leads = group.role !== 'member'
  return (
    <View title={group.name ?? 'Group'}>
      <p class="context">
        <Link href={`/messages/${id}`}>Messages of the group</Link>
      </p>
      <Members group={group} load={load} />
      {(leads || group.adding === 'everyone') && <AddMembers group={group} load={load} />}
      {leads && <Settings key={String(data.value)} group={group} load={load} />}
      {leads && <GroupLinkSettings group={group} load={load} />}
      <Leaving group={group} />
    </View>
  )
}

type Props = { group: Facts; load: () => Promise<void> }

const membersOf = (id: string) =>
  cachedList(`members of ${id}`, (query) => client.listMembers({ ...query, conversationId: id }))

function Members({ group, load }: Props) {
  const list = membersOf(group.id)
  useList(list)
  const changed = async () => void (await Promise.all([reload(list), load()]))
  return (
    <section class="card settings" aria-label="Members">
      <h2>{group.memberCount === 1 ? '1 member' : `${group.memberCount} members`}</h2>
      <ListView
        list={list}
        label="Members"
        empty={<p>No one else yet.</p>}
        render={(member) => <MemberRow group={group} member={member} onChange={changed} />}
      />
    </section>
  )
}

const roleWords: Record<string, string> = { owner: 'Owner', admin: 'Admin', member: 'Member' }

type RowProps = { group: Facts; member: Member; onChange: () => Promise<void> }

function MemberRow({ group, member, onChange }: RowProps) {
  const { id, account, role } = member
  const isOwn = account.id === session.value?.id
  const run = (change: () => Promise<unknown>) => () => void change().then(onChange).catch(reportError)
  const setRole = (next: Member['role']) => run(() => client.setMemberRole({ memberId: id, role: next }))
  const handOver = run(async () => {
    const text = 'You are an admin then.'
    if (await askConfirmation(`Hand the group over to ${account.displayName}?`, text, 'Hand over'))
      await client.setMemberRole({ memberId: id, role: 'owner' })
  })
  const remove = run(async () => {
    const text = 'They see nothing of the group any more.'
    if (await askConfirmation(`Remove ${account.displayName}?`, text, 'Remove'))
      await client.removeMember({ memberId: id })
  })
  const owns = group.role === 'owner' && !isOwn
  const removes = owns || (group.role === 'admin' && role === 'member')
  const button = (label: string, onClick: () => void) => (
    <button type="button" class="secondary" aria-label={`${label}: ${account.displayName}`} onClick={onClick}>
      {label}
    </button>
  )
  return (
    <article class="person">
      <Avatar account={account} />
      <div>
        <Link href={`/@${account.handle}`} class="author">
          <b>{account.displayName}</b> <span class="handle">@{account.handle}</span>
        </Link>
        <span class="chip">{roleWords[role] ?? role}</span>
        <div class="actions roles">
          {owns &&
            (role === 'member' ? button('Make admin', setRole('admin')) : button('Make member', setRole('member')))}
          {owns && button('Hand over', handOver)}
          {removes && button('Remove', remove)}
        </div>
      </div>
    </article>
  )
}

function AddMembers({ group, load }: Props) {
  const form = useForm(async ({ value, element }) => {
    for (const handle of handlesIn(value('members')))
      await client.addMember({ memberId: `${group.id}.${await idOf(handle)}` })
    element.reset()
    await Promise.all([reload(membersOf(group.id)), load()])
    showToast('Added. People who do not follow you get a request')
  })
  return (
    <section class="card settings" aria-label="Add members">
      <h2>Add members</h2>
      <form class="stack" aria-label="Add members" {...form.attributes}>
        <Field form={form} name="members" label="Handles" hint="Such as @ada @grace" required />
        <FormError form={form} shown={['members']} />
        <div class="actions">
          <SubmitButton form={form}>Add</SubmitButton>
        </div>
      </form>
    </section>
  )
}

function Settings({ group, load }: Props) {
  const form = useForm(async ({ value }) => {
    await client.editGroup({
      groupId: group.id,
      name: value('name'),
      locked: value('locked') !== '',
      historyVisible: value('historyVisible') !== '',
      adding: value('adding') === 'admins' ? 'admins' : 'everyone',
    })
    clear(inbox)
    await load()
    showToast('Saved')
  })
  const adding = { everyone: 'All members', admins: 'Admins' }
  return (
    <section class="card settings" aria-label="Settings">
      <h2>Settings</h2>
      <form class="stack" aria-label="Settings" {...form.attributes}>
        <Field form={form} name="name" label="Name" value={group.name ?? ''} maxLength={100} required />
        <SelectField form={form} name="adding" label="Who may add members" options={adding} selected={group.adding} />
        <CheckboxField form={form} name="locked" checked={group.locked}>
          Only admins write
        </CheckboxField>
        <CheckboxField form={form} name="historyVisible" checked={group.historyVisible}>
          New members read what was written since this was switched on
        </CheckboxField>
        <FormError form={form} shown={['name']} />
        <div class="actions">
          <SubmitButton form={form}>Save</SubmitButton>
        </div>
      </form>
    </section>
  )
}

function Leaving({ group }: { group: Facts }) {
  const leave = async () => {
    const text =
      group.role === 'owner'
        ? 'You see nothing of it any more. The oldest admin or member owns it then.'
        : 'You see nothing of it any more.'
    if (!(await askConfirmation('Leave the group?', text, 'Leave'))) return
    await client.leaveGroup({ groupId: group.id })
    clear(inbox)
    navigate('/messages')
  }
  return (
    <p>
      <button type="button" class="secondary" onClick={() => void leave().catch(reportError)}>
        Leave the group
      </button>
    </p>
  )
}
