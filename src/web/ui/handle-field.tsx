import { Field } from './field.tsx'
import type { Form } from './use-form.ts'

type Props = { form: Form; label: string; hint: string; autofocus?: boolean; value?: string }

/** A handle that the account is to have. */
export function HandleField({ form, label, hint, autofocus, value }: Props) {
  return (
    <Field
      form={form}
      name="handle"
      label={label}
      hint={hint}
      autocomplete="username"
      autocapitalize="none"
      spellcheck={false}
      minLength={3}
      maxLength={31}
      autofocus={autofocus}
      defaultValue={value}
      required
    />
  )
}
