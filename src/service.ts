import type { Mount } from './compose.ts'
import type { BatchHandler } from './platform/events/batches.ts'
import type { EventDefinition, Subscription } from './platform/events/events.ts'
import type { Job } from './platform/events/jobs.ts'
import type { TaskHandler } from './platform/events/tasks.ts'
import type { Noun } from './platform/graphql/noun.ts'
import type { Operation } from './platform/http/operation.ts'
import type { PersonalData } from './platform/personal-data.ts'
import type { Channel } from './platform/realtime/channels.ts'

/** What a service declares. An omitted field means that the service has none. */
export type Service = {
  name: string
  /** What its operations are for, for the API document. */
  about: string
  /** The RPC service that offers the operations to other Workers; none by default. */
  rpc?: 'UserService' | 'PostService' | 'NotificationService' | 'AnalyticsService'
  /** Whether apps of other developers may call none of its operations, except those that need no token. */
  ownClients?: boolean
  /** The path below which its operations are served; `/v1` by default. */
  mount?: Mount
  operations?: Operation[]
  nouns?: Noun[]
  events?: EventDefinition[]
  subscriptions?: Subscription[]
  tasks?: TaskHandler[]
  batches?: BatchHandler[]
  jobs?: Job[]
  channels?: Channel[]
  personal: PersonalData
}

/** Refuses apps of other developers, unless everyone may call the operation. */
export function forOwnClients(operation: Operation): Operation {
  return operation.access === 'public' ? operation : { ...operation, ownClients: true }
}

/** Adds the name of its service to a declaration. */
export const ofService =
  (service: string) =>
  <T>(declaration: T) => ({ ...declaration, service })
