import { useSignal, useSignalEffect } from '@preact/signals'
import { ApiError, type FieldError } from '../../client/client.ts'
import { Cancelled, invalidFields, isNetworkError } from '../api/errors.ts'
import { live } from '../api/live.ts'
import { announce } from '../state/toasts.ts'

export type Form = ReturnType<typeof useForm>

type Submission = {
  /** The value of a field. */
  value: (name: string) => string
  /** The value of the button that submitted the form. */
  action: string
  element: HTMLFormElement
}

/**
 * Submits a form, one submission at a time. The error of a field stays until the user changes the field, and a network
 * error until the connection is back. The first invalid field gets the focus.
 */
export function useForm(submit: (submission: Submission) => Promise<void>) {
  const busy = useSignal(false)
  const error = useSignal<unknown>(null)
  const clearError = () => {
    error.value = null
  }
  useSignalEffect(() => {
    if (live.value && isNetworkError(error.peek())) clearError()
  })

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = event.currentTarget
    if (busy.value || !(element instanceof HTMLFormElement)) return
    busy.value = true
    clearError()
    try {
      requireValid(element)
      await submit(readForm(element, event.submitter))
    } catch (failure) {
      if (failure instanceof Cancelled) return
      error.value = failure
      requestAnimationFrame(() => focusInvalid(element))
    } finally {
      busy.value = false
    }
  }
  const onInput = ({ target, currentTarget }: Event) => {
    const form = currentTarget instanceof HTMLFormElement ? currentTarget : null
    error.value = afterInput(error.value, (field) => form?.elements.namedItem(field) ?? target, target)
  }
  // `noValidate` turns off the messages of the browser, which disappear by themselves and have no style of ours.
  return { busy, error, clearError, attributes: { noValidate: true, onSubmit, onInput } }
}

function focusInvalid(form: HTMLFormElement): void {
  const invalid = form.querySelectorAll<HTMLElement>('[aria-invalid=true]')
  invalid[0]?.focus()
  // The focus makes a screen reader read the first error. This says that there are more.
  if (invalid.length > 1) announce(`${invalid.length} fields need a change`)
}

/** What is left of an error after an input: the errors of the other fields of the form. */
function afterInput(error: unknown, elementOf: (field: string) => unknown, changed: unknown): unknown {
  if (!(error instanceof ApiError)) return null
  const fields = error.fields.filter(({ field }) => elementOf(field) !== changed)
  return fields.length === 0 ? null : new ApiError({ ...error, fields })
}

/** Throws an error for each field that breaks its own attributes, so that a request that must fail is never sent. */
function requireValid(form: HTMLFormElement): void {
  const errors = [...form.elements].flatMap((element): FieldError[] => {
    if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) return []
    const message = problemOf(element)
    return message ? [{ field: element.name, message }] : []
  })
  if (errors.length > 0) throw new ApiError(invalidFields(errors))
}

function problemOf(element: HTMLInputElement | HTMLTextAreaElement): string {
  const { value, validity, minLength, type } = element
  if (validity.valueMissing) return type === 'checkbox' ? 'must be accepted' : 'is missing'
  if (type === 'email' && value !== '' && !/[@＠]/.test(value)) return 'must have a form such as ada@example.com'
  // `tooShort` ignores what a password manager has filled in.
  return value !== '' && value.length < minLength ? `must have at least ${minLength} characters` : ''
}

function readForm(element: HTMLFormElement, submitter: HTMLElement | null): Submission {
  const data = new FormData(element)
  const action = submitter instanceof HTMLButtonElement ? submitter.value : ''
  return { value: (name) => String(data.get(name) ?? ''), action, element }
}
