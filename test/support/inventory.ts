import { personal } from '../../src/registry.ts'

/** The columns of each table or other store, with their classes. Throws if two services list the same one. */
export const inventory = new Map<string, Record<string, string>>()
for (const { inventory: own } of personal) {
  for (const [store, columns] of Object.entries(own)) {
    if (inventory.has(store)) throw new Error(`two services list ${store}`)
    inventory.set(store, columns)
  }
}

/** The inventory as a document. */
export function inventoryDocument(): string {
  const rows = personal.flatMap(({ service, inventory: own }) =>
    Object.entries(own).map(([store, columns]) => {
      const of = (wanted: string) => Object.keys(columns).filter((name) => columns[name] === wanted)
      const cells = ['owner', 'exported', 'secret', 'others', 'technical'].map((wanted) => of(wanted).join(', '))
      return `| ${[`\`${store}\``, service, ...cells].join(' | ')} |`
    }),
  )
  return `${[
    '# Inventory of personal data',
    '',
    'Generated from the `personal.ts` of each service; `npm test -- contract --update` writes this file. Each column has one class:',
    '',
    '- **owner**: the id of the person to whom the row belongs',
    '- **exported**: data of this person, which an export contains',
    '- **never exported**: data of this person that an export must not contain, such as hashes and tokens',
    '- **about others**: data about other people, which an export does not contain',
    '- **not personal**: technical data, and what derives from exported columns',
    '',
    '| store | service | owner | exported | never exported | about others | not personal |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')}\n`
}
