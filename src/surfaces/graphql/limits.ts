import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql'
import { Failure } from '../../platform/failures.ts'

/** What a document may contain. `fields`, `depth` and `aliases` count each fragment wherever it is used. */
export const limits = {
  characters: 20_000,
  tokens: 3_000,
  operations: 10,
  rootFields: 10,
  depth: 15,
  fields: 500,
  breadth: 80,
  aliases: 30,
  fragments: 30,
  directives: 30,
  variables: 64 * 1_024,
  /** Records that a query may ask for, plus five for each list and one for each value with an alias. */
  cost: 2_000,
}

export type Limit = keyof typeof limits

/** Throws `bad_request` if a count exceeds its limit. */
export function requireAtMost(name: Limit, count: number): void {
  if (count <= limits[name]) return
  throw new Failure('bad_request', `The query exceeds the limit of ${limits[name]} ${titles[name]}`)
}

const titles: Record<Limit, string> = {
  characters: 'characters',
  tokens: 'tokens',
  operations: 'operations in one document',
  rootFields: 'root fields',
  depth: 'levels of fields',
  fields: 'fields',
  breadth: 'fields beside each other',
  aliases: 'aliases',
  fragments: 'fragments',
  directives: 'directives',
  variables: 'characters of variables',
  cost: 'records and lists, as weighed in the documentation',
}

type Size = { depth: number; fields: number; aliases: number; top: number }

/** Throws `bad_request` if a document is too large. Takes linear time, also for fragments that contain each other. */
export function requireSmall(document: DocumentNode): void {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  requireAtMost('operations', operations.length)
  requireAtMost('fragments', fragments.length)
  const counter = new Counter(fragments)
  const sizes = operations.map(({ selectionSet }) => counter.sizeOf(selectionSet))
  // Validation also compares the fields of fragments that no operation uses.
  for (const { depth, fields, aliases } of [
    ...sizes,
    ...fragments.map(({ name }) => counter.sizeOfFragment(name.value)),
  ]) {
    requireAtMost('depth', depth)
    requireAtMost('fields', fields)
    requireAtMost('aliases', aliases)
  }
  for (const { top } of sizes) requireAtMost('rootFields', top)
  requireAtMost('fields', counter.fields)
  const own = [...operations, ...fragments].reduce((sum, { directives = [] }) => sum + directives.length, 0)
  requireAtMost('directives', counter.directives + own)
}

/** Sizes of selections, each counted once; a fragment that contains itself has no size, and validation refuses it. */
class Counter {
  /** Those of the whole document, each once. */
  fields = 0
  directives = 0
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
  private readonly known = new Map<string, Size>()

  constructor(fragments: readonly FragmentDefinitionNode[]) {
    this.fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]))
  }

  sizeOf({ selections }: SelectionSetNode): Size {
    requireAtMost('breadth', selections.length)
    const size = { ...none }
    for (const selection of selections) {
      this.directives += selection.directives?.length ?? 0
      const own = selection.kind === Kind.FIELD ? this.sizeOfField(selection) : this.sizeOfPart(selection)
      size.depth = Math.max(size.depth, own.depth)
      size.fields += own.fields
      size.aliases += own.aliases
      size.top += own.top
    }
    return size
  }

  sizeOfFragment(name: string): Size {
    const known = this.known.get(name)
    if (known) return known
    this.known.set(name, none)
    const fragment = this.fragments.get(name)
    const size = fragment ? this.sizeOf(fragment.selectionSet) : none
    this.known.set(name, size)
    return size
  }

  private sizeOfPart(part: { kind: Kind; name?: { value: string }; selectionSet?: SelectionSetNode }): Size {
    if (part.selectionSet) return this.sizeOf(part.selectionSet)
    return part.name ? this.sizeOfFragment(part.name.value) : none
  }

  private sizeOfField({
    alias,
    selectionSet,
  }: {
    alias?: object | undefined
    selectionSet?: SelectionSetNode | undefined
  }): Size {
    this.fields += 1
    const below = selectionSet ? this.sizeOf(selectionSet) : none
    const aliases = below.aliases + (alias ? 1 : 0)
    return { depth: below.depth + 1, fields: below.fields + 1, aliases, top: 1 }
  }
}

const none: Size = { depth: 0, fields: 0, aliases: 0, top: 0 }
