import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentChildren, InputHTMLAttributes, PartialInputHTMLAttributes, VNode } from 'preact'
import { useId } from 'preact/hooks'
import { Problem, Unreachable } from '../api/http.ts'
import { live } from '../api/realtime.ts'
import { reasonOf, sentenceOf } from './toasts.tsx'

/** A form that is being filled in: what its fields got wrong, and whether it is on its way. */
type Form = ReturnType<typeof useForm>

/**
 * Sends a form once at a time. A failure stays in it, beside the fields it names, the first of which takes the focus,
 * until the form changes or the server is back.
 */
export function useForm(
  send: (values: (name: string) => string, pressed: string, form: HTMLFormElement) => Promise<void>,
) {
  const busy = useSignal(false)
  const failure = useSignal<unknown>(null)
  const forget = () => {
    failure.value = null
  }
  useSignalEffect(() => {
    if (live.value && failure.peek() instanceof Unreachable) forget()
  })

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (busy.value) return
    const form = event.currentTarget as HTMLFormElement
    const data = new FormData(form, event.submitter)
    busy.value = true
    forget()
    try {
      const pressed = (event.submitter as HTMLButtonElement | null)?.value ?? ''
      await send((name) => String(data.get(name) ?? ''), pressed, form)
    } catch (error) {
      failure.value = error
      form.addEventListener('input', forget, { once: true })
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
    } finally {
      busy.value = false
    }
  }

  const errorOf = (name: string) => {
    const error = failure.value instanceof Problem && failure.value.errors.find(({ field }) => field === name)
    return error ? sentenceOf(error) : undefined
  }
  return { busy, failure, forget, onSubmit, errorOf }
}

type Labelled = { form: Form; name: string; label: string; hint?: string }
type Attributes = { id: string; name: string; 'aria-invalid': boolean; 'aria-describedby': string }

/** A control with its label above it, and below it what is wrong with it, or a hint. */
function Control({ form, name, label, hint, children }: Labelled & { children: (own: Attributes) => VNode }) {
  const id = useId()
  const error = form.errorOf(name)
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

type Inputs = Omit<PartialInputHTMLAttributes<HTMLInputElement>, 'form' | 'label' | 'role' | 'type'> &
  Labelled & { type?: 'text' | 'email' | 'password' }

export function Field({ form, name, label, hint, ...input }: Inputs) {
  return (
    <Control form={form} name={name} label={label} hint={hint}>
      {(own) => <input {...(input as InputHTMLAttributes)} {...own} />}
    </Control>
  )
}

type LongText = Labelled & { value: string; maxLength: number }

export function LongField({ form, name, label, hint, value, maxLength }: LongText) {
  return (
    <Control form={form} name={name} label={label} hint={hint}>
      {(own) => <textarea {...own} rows={3} maxLength={maxLength} defaultValue={value} />}
    </Control>
  )
}

/** What went wrong with the form as a whole, and with fields that it does not show. */
export function FormFailure({ form, shown = [] }: { form: Form; shown?: string[] }) {
  const { value } = form.failure
  const reason = value === null ? '' : reasonOf(value, shown)
  return (
    <div role="alert" class="form-failure">
      {reason && <p>{reason}</p>}
    </div>
  )
}

export function Submit({
  form,
  children,
  ...button
}: {
  form: Form
  children: ComponentChildren
  value?: string
  class?: string
}) {
  return (
    <button type="submit" name="action" {...button} aria-disabled={form.busy.value}>
      {children}
    </button>
  )
}
