import { accessibilityTests } from './accessibility.ts'
import { accountTests } from './accounts.ts'
import { burstTests } from './bursts.ts'
import { docsTests } from './docs.ts'
import { failureTests } from './failures.ts'
import { graphiqlTests } from './graphiql.ts'
import { imageTests } from './images.ts'
import { mainJobTests } from './main-job.ts'
import { describeSite } from './site.ts'

// These tests share one server and build on each other: the first one registers Ada and Bob.
describeSite('the web client', (world) => {
  mainJobTests(world)
  imageTests(world)
  failureTests(world)
  burstTests(world)
  accountTests(world)
  docsTests(world)
  graphiqlTests(world)
  accessibilityTests(world)
})
