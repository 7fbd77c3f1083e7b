import { roles } from '../../src/platform/context.ts'
import { declaredActions, includesAction } from '../../src/platform/security/actions.ts'
import { services } from '../../src/registry.ts'
import { rules } from '../../src/services/access/policy.ts'

const operations = services.flatMap((service) => service.operations)
const namesOf = (wanted: (operation: (typeof operations)[number]) => boolean) =>
  operations
    .filter(wanted)
    .map(({ id }) => `\`${id}\``)
    .join(', ')

/** Who may do what, as a document: the actions, the roles that allow them, the operations and the rules. */
export function accessDocument(): string {
  const rows = [...declaredActions()].map(([action, { allows }]) => {
    const cells = roles.map((role) => (includesAction(role, action) ? 'yes' : ''))
    return `| ${[`\`${action}\``, allows, ...cells, namesOf((operation) => operation.action === action)].join(' | ')} |`
  })
  return `${[
    '# Actions and roles',
    '',
    'Generated from the declarations of the services; `npm test -- contract --update` writes this file. The access sweep checks each',
    'operation against the same declarations. [ADR 32](adr/0032-authorization-as-data.md) explains the decisions.',
    '',
    '## Actions',
    '',
    'A custom role can allow any action, and a grant allows one on one thing, like `posts:edit` on `post:456`.',
    '',
    `| action | allows | ${roles.join(' | ')} | operations |`,
    `|${'---|'.repeat(roles.length + 3)}`,
    ...rows,
    '',
    '## Operations without an action',
    '',
    'They need at least this role, and no other role or grant can allow them.',
    '',
    ...(['moderator', 'admin'] as const).map(
      (role) => `- ${role}: ${namesOf(({ access, action }) => access === role && !action) || 'none'}`,
    ),
    '',
    '## Rules',
    '',
    'A rule that denies wins over every role and grant. The list is `rules` in `src/services/access/policy.ts`.',
    '',
    '| rule | action |',
    '|---|---|',
    ...rules.map(({ name, action }) => `| \`${name}\` | ${action === '*' ? 'all' : `\`${action}\``} |`),
  ].join('\n')}\n`
}
