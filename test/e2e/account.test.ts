import { describeSite } from './site.ts'
import { visitorTests } from './visitors.ts'

// These tests share one server and build on each other: the first one registers Ada.
describeSite('the account pages', (world) => {
  visitorTests(world)
})
