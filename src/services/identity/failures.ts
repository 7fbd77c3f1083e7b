import { defineFailure } from '../../platform/failures.ts'

export const invalidCredentials = defineFailure('invalid_credentials', 401, 'The credentials do not match')
export const handleTaken = defineFailure('handle_taken', 409, 'The handle is taken')
