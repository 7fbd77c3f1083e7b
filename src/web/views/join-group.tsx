import { client } from '../api/client.ts'
import { inbox } from '../state/conversations.ts'
import { groupCode } from '../state/group-code.ts'
import { clear } from '../state/list.ts'
import { navigate } from '../state/location.ts'
import { showToast } from '../state/toasts.ts'
import { FormError, SubmitButton } from '../ui/field.tsx'
import { Loading, useData } from '../ui/loading.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { ErrorView } from './not-found.tsx'

/** Shows the group of a link before the account joins it. */
export function JoinGroup() {
  const code = groupCode ?? ''
  const { data, error, load } = useData(() => client.previewGroup({ code }))
  const form = useForm(async () => {
    const { conversationId, outcome } = await client.joinGroupByLink({ code })
    clear(inbox)
    if (outcome === 'joined') return navigate(`/messages/${conversationId}`)
    showToast('An admin of the group decides on your request')
    navigate('/messages')
  })
  if (error.value) return <ErrorView title="Join a group" error={error.value} retry={load} />
  if (!data.value) return <View title="Join a group" children={<Loading />} />
  const { name, memberCount } = data.value
  return (
    <View title={`Join ${name ?? 'a group'}`}>
      <section class="card settings" aria-label="The group">
        <p>{memberCount === 1 ? '1 member' : `${memberCount} members`}</p>
        <form class="stack" aria-label="Join" {...form.attributes}>
          <FormError form={form} />
          <div class="actions">
            <SubmitButton form={form}>Join</SubmitButton>
          </div>
        </form>
      </section>
    </View>
  )
}
