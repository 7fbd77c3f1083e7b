import { InvalidField, isNotFound } from '../api/errors.ts'
import { session } from '../api/session.ts'
import { loadAccount, setFollowing } from '../state/accounts.ts'
import { navigate } from '../state/location.ts'
import { showToast } from '../state/toasts.ts'
import { Field, FormError, SubmitButton } from './field.tsx'
import { useForm } from './use-form.ts'

/** Finds an account by handle, to follow it or to open its profile. `narrow` is the variant for small screens. */
export function FindPeople({ narrow = false }: { narrow?: boolean }) {
  const form = useForm(async ({ value, action, element }) => {
    const account = await findAccount(value('handle'))
    if (action === 'follow') {
      await setFollowing(account, true)
      showToast(`You now follow ${account.displayName}`)
    }
    element.reset()
    navigate(`/@${account.handle}`)
  })
  return (
    <form class={narrow ? 'card find narrow' : 'card find'} aria-label="Find people" {...form.attributes}>
      <h2>Find people</h2>
      <Field
        form={form}
        name="handle"
        label="Handle"
        placeholder="ada"
        maxLength={31}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        required
      />
      <FormError form={form} shown={['handle']} />
      <div class="actions">
        {session.value && (
          <SubmitButton form={form} value="follow">
            Follow
          </SubmitButton>
        )}
        <SubmitButton form={form} value="view" class="secondary">
          View profile
        </SubmitButton>
      </div>
    </form>
  )
}

async function findAccount(typed: string) {
  const handle = typed.trim().replace(/^[@＠]/, '')
  if (!/^\w{3,30}$/.test(handle)) throw new InvalidField('handle', 'must be 3 to 30 letters, digits or underscores')
  return loadAccount(handle).catch((error: unknown) => {
    throw isNotFound(error) ? new InvalidField('handle', 'does not exist') : error
  })
}
