import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { type FieldError, Problem } from '../api/http.ts'
import { onAccountChange } from '../api/session.ts'

type Note = { id: number; text: string; failure: boolean }

const notes = signal<Note[]>([])
const spoken = signal('')
let count = 0

onAccountChange(() => {
  notes.value = []
})

/** Tells a screen reader, and shows nothing. */
export function say(text: string): void {
  // The same words twice in a row would not be read again.
  spoken.value = spoken.value === text ? `${text}\u00a0` : text
}

/** Shows a note for a few seconds, and reads it out. */
export function tell(text: string, failure = false): void {
  count += 1
  const note = { id: count, text, failure }
  notes.value = [...notes.value.slice(-2), note]
  setTimeout(() => dismiss(note.id), failure ? 9_000 : 5_000)
}

/** Tells of something that failed. */
export function report(error: unknown): void {
  tell(reasonOf(error), true)
}

/** A sentence or two for people; none about the fields that are `shown`, since those say it themselves. */
export function reasonOf(error: unknown, shown: string[] = []): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : 'Something went wrong.'
  const { title, detail, errors } = error
  if (errors.length > 0) return errors.flatMap((it) => (shown.includes(it.field) ? [] : sentenceOf(it))).join(' ')
  return [title, detail].flatMap((part) => (part ? ended(part) : [])).join(' ')
}

// Where people would not know a field by the name that it has in the API.
const subjects: Record<string, string> = {
  '': 'request',
  accountId: 'account',
  alt: 'description',
  bio: 'text about you',
  displayName: 'name',
  email: 'address',
  file: 'image',
  identifier: 'handle or email',
  media: 'post',
}

/** What is wrong with a field: its name, from which the message reads on. */
export function sentenceOf({ field, message }: FieldError): string {
  const [name = ''] = field.split('.')
  return ended(`The ${subjects[name] ?? name} ${message}`)
}

const ended = (text: string) => text.replace(/\.?$/, '.')

function dismiss(id: number): void {
  notes.value = notes.value.filter((note) => note.id !== id)
}

/** What is told, above the page; `children` stand below it. */
export function Announcements({ children }: { children: ComponentChildren }) {
  const shown = (failure: boolean) =>
    notes.value
      .filter((note) => note.failure === failure)
      .map((note) => (
        <p key={note.id} class={failure ? 'note failure' : 'note'}>
          {note.text}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(note.id)}>
            ×
          </button>
        </p>
      ))
  return (
    <div class="notes">
      <div role="alert">{shown(true)}</div>
      <div role="status">{shown(false)}</div>
      <div class="unseen" role="status">
        {spoken}
      </div>
      {children}
    </div>
  )
}
