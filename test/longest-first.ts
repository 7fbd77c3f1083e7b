import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The longest test files, longest first. */
const LONGEST = [
  'e2e/page',
  'e2e/account',
  'node/built',
  'visibility/visibility',
  'sweeps/access',
  'sweeps/graphql-access',
  'e2e/insights',
  'node/command',
  'sweeps/rpc',
  'e2e/notifications',
  'e2e/staff',
  'node/create-admin',
  'node/client-package',
  'node/deploy',
  'node/operator',
  'services/identity/revocation-table',
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  return at === -1 ? LONGEST.length : at
}

/** Starts the longest files first: otherwise one of them may run alone at the end, while the other worker is idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}
