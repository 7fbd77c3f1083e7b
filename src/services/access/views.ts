import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { declaredActions } from '../../platform/security/actions.ts'

export const MAX_ROLES = 10
export const MAX_ATTRIBUTES = 20
export const MAX_GRANTS = 50
export const MAX_CUSTOM_ROLES = 100

export const ActionName = z
  .string()
  .max(60)
  .refine((name) => declaredActions().has(name), 'must be an action that `listRoles` names')
  .openapi({ example: 'posts:edit' })

export const RoleName = z
  .string()
  .max(30)
  .regex(/^[a-z][a-z0-9_-]{2,29}$/, 'must be 3 to 30 letters a to z, digits, _ and -, and begin with a letter')
  .openapi({ example: 'editor' })

export const ThingName = z
  .string()
  .max(24)
  .regex(/^(account|post):[1-9]\d{0,15}$/, 'must be like post:456 or account:123')
  .openapi({ example: 'post:1970324936974593' })

const AccessRole = z
  .object({
    name: z.string(),
    description: z.string(),
    permissions: z.array(z.string()),
    isBuiltIn: z.boolean(),
  })
  .openapi('AccessRole', {
    example: { name: 'editor', description: 'Corrects posts', permissions: ['posts:edit'], isBuiltIn: false },
  })

const AccessAction = z
  .object({ name: z.string(), allows: z.string() })
  .openapi('AccessAction', { example: { name: 'posts:edit', allows: 'Edit posts of others' } })
export const AccessRoles = z
  .object({ items: z.array(AccessRole), actions: z.array(AccessAction) })
  .openapi('AccessRoles', { description: 'All roles, and all actions that a role can allow' })

export const AccountAttribute = z
  .strictObject({
    name: z
      .string()
      .max(30)
      .regex(/^[a-z][a-z0-9_]{0,29}$/, 'must be 1 to 30 letters a to z, digits and _'),
    value: z.string().min(1).max(100),
  })
  .openapi('AccountAttribute', { example: { name: 'department', value: 'finance' } })

export const Grant = z
  .object({ id: Id, action: z.string(), thing: z.string(), until: z.iso.datetime().nullable() })
  .openapi('Grant', {
    example: { action: 'posts:edit', thing: 'post:1970324936974593', until: '2027-01-01T00:00:00.000Z' },
  })
export type Grant = z.infer<typeof Grant>

export const AccountAccess = z
  .object({
    accountId: Id,
    roles: z.array(z.string()).openapi({ description: 'The built-in role first' }),
    attributes: z.array(AccountAttribute),
    grants: z.array(Grant).openapi({ description: 'Those that have not expired, oldest first' }),
  })
  .openapi('AccountAccess', { example: { roles: ['user', 'editor'] } })
export type AccountAccess = z.infer<typeof AccountAccess>

const DecidedBy = z
  .object({
    kind: z.enum(['role', 'rule', 'grant']),
    name: z.string().openapi({ description: 'The name of the role or rule, or the id of the grant' }),
  })
  .openapi('DecidedBy', { example: { kind: 'role', name: 'editor' } })
export const AccessExplanation = z
  .object({
    accountId: Id,
    action: z.string(),
    thing: z.string().nullable(),
    allowed: z.boolean(),
    decidedBy: DecidedBy.nullable().openapi({ description: 'Null if no role, rule or grant allows it' }),
    reason: z.string(),
  })
  .openapi('AccessExplanation', {
    example: {
      action: 'posts:edit',
      thing: 'post:1970324936974593',
      allowed: true,
      reason: 'The role editor allows it.',
    },
  })
export type AccessExplanation = z.infer<typeof AccessExplanation>
