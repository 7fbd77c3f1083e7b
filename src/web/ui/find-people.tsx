import { FieldProblem, isNotFound } from '../api/http.ts'
import { session } from '../api/session.ts'
import { navigate } from '../router.tsx'
import { readAccount, setFollowing } from '../state/accounts.ts'
import { Field, FormFailure, Submit, useForm } from './field.tsx'
import { tell } from './toasts.tsx'

/** Follows somebody, or opens their profile, by handle. `narrow` shows it where there is no room for the side column. */
export function FindPeople({ narrow = false }: { narrow?: boolean }) {
  const form = useForm(async (values, pressed, element) => {
    const handle = values('handle').trim().replace(/^@/, '')
    if (!/^\w{3,30}$/.test(handle)) throw new FieldProblem('handle', 'has 3 to 30 letters, digits and _')
    const account = await readAccount(handle).catch((error: unknown) => {
      throw isNotFound(error) ? new FieldProblem('handle', 'belongs to nobody') : error
    })
    if (pressed === 'follow') {
      await setFollowing(account, true)
      tell(`You follow ${account.displayName}`)
    }
    element.reset()
    navigate(`/@${account.handle}`)
  })
  return (
    <form class={narrow ? 'card find narrow' : 'card find'} aria-label="Find people" onSubmit={form.onSubmit}>
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
      <FormFailure form={form} shown={['handle']} />
      <div class="actions">
        {session.value && (
          <Submit form={form} value="follow">
            Follow
          </Submit>
        )}
        <Submit form={form} value="view" class="secondary">
          View profile
        </Submit>
      </div>
    </form>
  )
}
