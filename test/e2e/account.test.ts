import { appTests } from './apps.ts'
import { factorTests } from './factors.ts'
import { ownDataTests } from './own-data.ts'
import { providerTests } from './providers.ts'
import { recoveryTests } from './recovery.ts'
import { sessionTests } from './sessions.ts'
import { describeSite, LOCALHOST } from './site.ts'
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
  },
  { host: LOCALHOST },
)
