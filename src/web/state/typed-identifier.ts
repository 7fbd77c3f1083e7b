import { signal } from '@preact/signals'

/** The handle or address last typed into a form, so that the next form need not ask again. */
export const typedIdentifier = signal('')
