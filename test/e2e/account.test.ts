import { appTests } from './apps.ts'
import { factorTests } from './factors.ts'
import { ownDataTests } from './own-data.ts'
import { providerFactorTests } from './provider-factors.ts'
import { providerTests } from './providers.ts'
import { recoveryTests } from './recovery.ts'
import { sessionTests } from './sessions.ts'
import { describeSite, LOCALHOST } from './site.ts'
import { undoneFactorTests } from './undone-factors.ts'
import { visitorTests } from './visitors.ts'

// These tests share one server and build on each other: the first one registers Ada, a later one Bob.
describeSite(
  'the account pages',
  (world) => {
    visitorTests(world)
    recoveryTests(world)
    sessionTests(world)
    appTests(world)
    providerTests(world)
    ownDataTests(world)
    factorTests(world)
    undoneFactorTests(world)
    providerFactorTests(world)
  },
  { host: LOCALHOST },
)
