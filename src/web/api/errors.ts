import { ApiError, type Code, isCode } from '../../client/client.ts'

/** A field that this page rejects itself, or explains better than the API does. */
export class InvalidField extends ApiError {
  constructor(field: string, message: string) {
    super(invalidFields([{ field, message }]))
  }
}

export const invalidFields = (fields: ApiError['fields']) =>
  ({ status: 422, code: 'invalid', title: 'Some fields are not valid', fields }) as const

/** The user closed the dialog that an action depends on, so nothing happened and nothing is to be reported. */
export class Cancelled extends Error {}

export const isNotFound = (error: unknown) => error instanceof ApiError && error.status === 404
export const isNetworkError = (error: unknown) => isCode(error, 'network_error')
export const hasFieldError = (error: unknown, name: string) =>
  error instanceof ApiError && error.fields.some(({ field }) => field === name)

/** For `catch`: throws `other` instead of an error with the code. */
export const instead =
  (code: Code, other: Error) =>
  (error: unknown): never => {
    throw isCode(error, code) ? other : error
  }
