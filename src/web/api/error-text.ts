import { ApiError, type FieldError } from '../../client/client.ts'
import { isNetworkError } from './errors.ts'

/** The error in sentences for the user. Omits the fields in `shown`, whose errors the form displays beside them. */
export function errorText(error: unknown, shown: string[] = []): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : 'Something went wrong.'
  if (isNetworkError(error)) return 'Cannot reach the server. Check your connection and try again.'
  const { title, detail, fields, retryAfter } = error
  if (fields.length > 0) {
    return fields
      .filter(({ field }) => !shown.includes(field))
      .map(fieldErrorText)
      .join(' ')
  }
  const reason = retryAfter ? `Try again in ${seconds(retryAfter)}` : detail
  return [title, reason].flatMap((part) => (part ? withPeriod(part) : [])).join(' ')
}

// The names of fields in the user interface, where they differ from those in the API.
const fieldNames: Record<string, string> = {
  '': 'request',
  accountId: 'account',
  alt: 'image description',
  currentPassword: 'current password',
  displayName: 'display name',
  email: 'email address',
  file: 'image',
  identifier: 'handle or email',
  media: 'post',
  redirectUris: 'redirect address',
  termsVersion: 'terms',
}

/** A sentence that begins with the name of the field, such as “The handle”, and continues with its error message. */
export function fieldErrorText({ field, message }: FieldError): string {
  const [name = ''] = field.split('.')
  return withPeriod(`The ${fieldNames[name] ?? name} ${message}`)
}

const seconds = (count: number) => (count === 1 ? '1 second' : `${count} seconds`)

const withPeriod = (text: string) => text.replace(/\.?$/, '.')
