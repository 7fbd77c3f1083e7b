import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { client } from '../api/client.ts'
import { hasFieldError } from '../api/errors.ts'
import { session } from '../api/session.ts'
import { DeadLink } from '../ui/dead-link.tsx'
import { FormError, SubmitButton } from '../ui/field.tsx'
import { Icon } from '../ui/icons.tsx'
import { Link } from '../ui/link.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

// All need a press on a button, because programs that check emails for viruses open links too.

export function ConfirmAddress({ token }: { token: string }) {
  const { form, state } = useTokenForm(() => client.confirmAddress({ token }))
  if (state.value === 'dead') return <DeadLink children={<SecurityLink label="Change your address again" />} />
  if (state.value === 'done') {
    return (
      <Done title="Your new address is confirmed">
        <p>Emails go to it from now on, and you can log in with it. We wrote to your old address, too.</p>
        <Link href="/" class="button">
          Continue
        </Link>
      </Done>
    )
  }
  return (
    <View title="Confirm your new address">
      <form class="card stack narrow-form centered" aria-label="Confirm your new address" {...form.attributes}>
        <Icon name="mail" />
        <p>From now on, emails about your account go to the address at which you received this link.</p>
        <FormError form={form} />
        <SubmitButton form={form}>Confirm address</SubmitButton>
      </form>
    </View>
  )
}

export function UndoAddress({ token }: { token: string }) {
  const { form, state } = useTokenForm(() => client.undoAddress({ token }))
  if (state.value === 'dead') return <DeadLink children={<SecurityLink label="Look at your address" />} />
  if (state.value === 'done') {
    return (
      <Done title="Your address is the old one again">
        <PasswordEnded act="changed the address" />
      </Done>
    )
  }
  return (
    <View title="Keep your old address">
      <form class="card stack narrow-form centered" aria-label="Keep your old address" {...form.attributes}>
        <Icon name="mail" />
        <p>
          This undoes the change of the email address of your account, logs out every device, and ends your password.
        </p>
        <FormError form={form} />
        <SubmitButton form={form}>Undo the change</SubmitButton>
      </form>
    </View>
  )
}

function PasswordEnded({ act }: { act: string }) {
  return (
    <>
      <p>
        Every device was logged out. Your password no longer works, because the person who {act} may know it. Choose a
        new one with the link in the email that we sent you, or ask for another link.
      </p>
      <Link href="/forgot" class="button">
        Reset your password
      </Link>
    </>
  )
}

export function UndoFactor({ token }: { token: string }) {
  const { form, state } = useTokenForm(() => client.undoFactor({ token }))
  if (state.value === 'dead') return <DeadLink children={<SecurityLink label="Look at your second factors" />} />
  if (state.value === 'done') {
    return (
      <Done title="The second factor was removed">
        <PasswordEnded act="added the second factor" />
      </Done>
    )
  }
  return (
    <View title="Remove a new second factor">
      <form class="card stack narrow-form centered" aria-label="Remove a new second factor" {...form.attributes}>
        <Icon name="mail" />
        <p>
          This removes the authenticator app or passkey that was added to your account, and those that were added later.
          It logs out every device, and ends your password.
        </p>
        <FormError form={form} />
        <SubmitButton form={form}>Remove it</SubmitButton>
      </form>
    </View>
  )
}

export function useTokenForm(use: () => Promise<unknown>): { form: Form; state: { value: string } } {
  const state = useSignal('open')
  const form = useForm(async () => {
    try {
      await use()
      state.value = 'done'
    } catch (error) {
      if (!hasFieldError(error, 'token')) throw error
      state.value = 'dead'
    }
  })
  return { form, state }
}

function SecurityLink({ label }: { label: string }) {
  return (
    <Link href={session.value ? '/security' : '/login'} class="button">
      {session.value ? label : 'Log in'}
    </Link>
  )
}

export function Done({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <View title={title}>
      <div class="card stack narrow-form centered">{children}</div>
    </View>
  )
}
