import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentChildren, InputHTMLAttributes, PartialInputHTMLAttributes, VNode } from 'preact'
import { useId } from 'preact/hooks'
import { ApiError } from '../../client/client.ts'
import { errorText, fieldErrorText } from '../api/error-text.ts'
import type { Form } from './use-form.ts'

type Labelled = { form: Form; name: string; label: string; hint?: string }
type Attributes = { id: string; name: string; 'aria-invalid': boolean; 'aria-describedby': string }

/** A control with its label above, and its error or hint below. */
function Control({ form, name, label, hint, children }: Labelled & { children: (own: Attributes) => VNode }) {
  const id = useId()
  const error = fieldError(form, name)
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, name, 'aria-invalid': error !== undefined, 'aria-describedby': `${id}-note` })}
      <p id={`${id}-note`} class={error ? 'field-error' : 'hint'}>
        {error ?? hint}
      </p>
    </div>
  )
}

function fieldError({ error: { value } }: Form, name: string): string | undefined {
  const error = value instanceof ApiError && value.fields.find(({ field }) => field === name)
  return error ? fieldErrorText(error) : undefined
}

type InputProps = Omit<PartialInputHTMLAttributes<HTMLInputElement>, 'form' | 'label' | 'role' | 'type'> &
  Labelled & { type?: 'text' | 'email' | 'password' }

export function Field({ form, name, label, hint, ...input }: InputProps) {
  return (
    <Control form={form} name={name} label={label} hint={hint}>
      {(own) => <input {...(input as InputHTMLAttributes)} {...own} />}
    </Control>
  )
}

type PasswordProps = Omit<InputProps, 'type' | 'autocomplete'> & { autocomplete: 'current-password' | 'new-password' }

/** A password with a button that shows it. Hidden again when the form is sent, so that no browser remembers it as text. */
export function PasswordField({ form, name, label, hint, ...rest }: PasswordProps) {
  const shown = useSignal(false)
  useSignalEffect(() => {
    if (form.busy.value) shown.value = false
  })
  const input = { ...rest, type: shown.value ? 'text' : 'password', autocapitalize: 'none', spellcheck: false }
  return (
    <Control form={form} name={name} label={label} hint={hint}>
      {(own) => (
        <div class="password">
          <input {...(input as InputHTMLAttributes)} {...own} />
          <button
            type="button"
            class="quiet"
            aria-controls={own.id}
            aria-label={`${shown.value ? 'Hide' : 'Show'} ${label.toLowerCase()}`}
            onClick={() => (shown.value = !shown.value)}
          >
            {shown.value ? 'Hide' : 'Show'}
          </button>
        </div>
      )}
    </Control>
  )
}

/** A code of an authenticator app, or a recovery code. */
export function CodeField({ form, withApp }: { form: Form; withApp: boolean }) {
  const what = withApp
    ? { label: 'Code', hint: 'The six digits that your authenticator app shows, or a recovery code' }
    : { label: 'Recovery code', hint: 'One of the codes that you kept' }
  const typing = { autocomplete: 'one-time-code', autocapitalize: 'none', spellcheck: false } as const
  return <Field form={form} name="code" {...what} {...typing} maxLength={40} required autofocus />
}

type SelectProps = Labelled & { options: Record<string, string>; selected: string }

export function SelectField({ form, name, label, hint, options, selected }: SelectProps) {
  return (
    <Control form={form} name={name} label={label} hint={hint}>
      {(own) => (
        <select {...own}>
          {Object.entries(options).map(([value, text]) => (
            <option key={value} value={value} selected={value === selected}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Control>
  )
}

type CheckboxProps = {
  form: Form
  name: string
  required?: boolean
  checked?: boolean | undefined
  children: ComponentChildren
}

export function CheckboxField({ form, name, required, checked, children }: CheckboxProps) {
  const id = useId()
  const error = fieldError(form, name)
  return (
    <div class="field">
      <label class="checkbox" for={id}>
        <input
          type="checkbox"
          id={id}
          name={name}
          required={required}
          defaultChecked={checked}
          aria-invalid={error !== undefined}
          aria-describedby={`${id}-note`}
        />
        <span>{children}</span>
      </label>
      <p id={`${id}-note`} class={error ? 'field-error' : 'hint'}>
        {error}
      </p>
    </div>
  )
}

type TextAreaProps = Labelled & { value: string; maxLength: number }

export function TextAreaField({ form, name, label, hint, value, maxLength }: TextAreaProps) {
  return (
    <Control form={form} name={name} label={label} hint={hint}>
      {(own) => <textarea {...own} rows={3} maxLength={maxLength} defaultValue={value} />}
    </Control>
  )
}

/** The error of the form as a whole, including errors of fields that are not in `shown`. */
export function FormError({ form, shown = [] }: { form: Form; shown?: string[] }) {
  const { value } = form.error
  const text = value === null ? '' : errorText(value, shown)
  return (
    <div role="alert" class="form-error">
      {text && <p>{text}</p>}
    </div>
  )
}

/** Cancel and save, for a form that replaces what it edits. */
export function EditActions({ form, onCancel }: { form: Form; onCancel: () => void }) {
  return (
    <div class="actions">
      <button type="button" class="secondary" onClick={onCancel}>
        Cancel
      </button>
      <SubmitButton form={form}>Save</SubmitButton>
    </div>
  )
}

type SubmitProps = { form: Form; children: ComponentChildren; value?: string; class?: string }

export function SubmitButton({ form, children, ...attributes }: SubmitProps) {
  return (
    <button type="submit" name="action" {...attributes} aria-disabled={form.busy.value}>
      {children}
    </button>
  )
}

/** Tells password managers whose password the form is about. */
export function UsernameField({ handle }: { handle: string | undefined }) {
  return <input type="text" name="username" autocomplete="username" value={handle ?? ''} readOnly hidden />
}
