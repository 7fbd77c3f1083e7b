import { typedIdentifier } from '../state/typed-identifier.ts'
import { Field } from './field.tsx'
import type { Form } from './use-form.ts'

/** The handle or email address of an account. The forms that ask for it share what was typed. */
export function IdentifierField({ form }: { form: Form }) {
  return (
    <Field
      form={form}
      name="identifier"
      label="Handle or email"
      autocomplete="username"
      autocapitalize="none"
      spellcheck={false}
      maxLength={254}
      defaultValue={typedIdentifier.peek()}
      onInput={({ currentTarget }) => {
        typedIdentifier.value = currentTarget.value
      }}
      required
    />
  )
}
