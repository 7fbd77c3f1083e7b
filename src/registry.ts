import { shardJobHandler } from './platform/events/jobs.ts'
import { platformServices } from './platform-services.ts'
import { forOwnClients, ofService, type Service } from './service.ts'
import * as accessEvents from './services/access/events.ts'
import { accessOperations } from './services/access/operations.ts'
import { accessData } from './services/access/personal.ts'
import { accessSubscriptions } from './services/access/subscriptions.ts'
import * as accountEvents from './services/accounts/events.ts'
import { accountNoun } from './services/accounts/graph.ts'
import { accountOperations } from './services/accounts/operations.ts'
import { accountData } from './services/accounts/personal.ts'
import { accountSubscriptions } from './services/accounts/subscriptions.ts'
import { analyticsJobs } from './services/analytics/jobs.ts'
import { analyticsOperations } from './services/analytics/operations.ts'
import { analyticsData } from './services/analytics/personal.ts'
import { analyticsBatches, analyticsSubscriptions } from './services/analytics/subscriptions.ts'
import * as apiKeyEvents from './services/api-keys/events.ts'
import { apiKeyJobs } from './services/api-keys/jobs.ts'
import { apiKeyOperations } from './services/api-keys/operations.ts'
import { apiKeyData } from './services/api-keys/personal.ts'
import { apiKeySubscriptions } from './services/api-keys/subscriptions.ts'
import { appOperations } from './services/apps/operations.ts'
import { appData } from './services/apps/personal.ts'
import { appWork } from './services/apps/subscriptions.ts'
import * as auditEvents from './services/audit/events.ts'
import { auditOperations } from './services/audit/operations.ts'
import { auditData } from './services/audit/personal.ts'
import { auditSubscriptions } from './services/audit/subscriptions.ts'
import { deliveryWork } from './services/deliveries/jobs.ts'
import { deliveryOperations } from './services/deliveries/operations.ts'
import { deliveryData } from './services/deliveries/personal.ts'
import { homeChannel } from './services/feed/channels.ts'
import { feedOperations } from './services/feed/operations.ts'
import { feedData } from './services/feed/personal.ts'
import { feedSubscriptions } from './services/feed/subscriptions.ts'
import * as identityEvents from './services/identity/events.ts'
import { identityJobs } from './services/identity/jobs.ts'
import { identityOperations } from './services/identity/operations.ts'
import { identityData } from './services/identity/personal.ts'
import { identitySubscriptions, identityTasks } from './services/identity/subscriptions.ts'
import { mediaJobs } from './services/media/jobs.ts'
import { mediaOperations } from './services/media/operations.ts'
import { mediaData } from './services/media/personal.ts'
import { mediaSubscriptions } from './services/media/subscriptions.ts'
import { conversationChannel, conversationsChannel } from './services/messaging/channels.ts'
import { groupOperations } from './services/messaging/group-operations.ts'
import { messagingOperations } from './services/messaging/operations.ts'
import { messagingData } from './services/messaging/personal.ts'
import { messagingSubscriptions } from './services/messaging/subscriptions.ts'
import { notificationChannel } from './services/notifications/channels.ts'
import { notificationWork } from './services/notifications/jobs.ts'
import { notificationOperations } from './services/notifications/operations.ts'
import { notificationData } from './services/notifications/personal.ts'
import { notificationSubscriptions } from './services/notifications/subscriptions.ts'
import * as postEvents from './services/posts/events.ts'
import { postNoun } from './services/posts/graph.ts'
import { postOperations } from './services/posts/operations.ts'
import { postData } from './services/posts/personal.ts'
import { postSubscriptions } from './services/posts/subscriptions.ts'
import { privacyOperations } from './services/privacy/operations.ts'
import { privacyData } from './services/privacy/personal.ts'
import { privacyWork } from './services/privacy/subscriptions.ts'
import { searchOperations } from './services/search/operations.ts'
import { searchData } from './services/search/personal.ts'
import { searchWork } from './services/search/subscriptions.ts'
import * as webhookServiceEvents from './services/webhooks/events.ts'
import { webhookOperations } from './services/webhooks/operations.ts'
import { webhookData } from './services/webhooks/personal.ts'
import { webhookSubscriptions } from './services/webhooks/subscriptions.ts'

const typed = [
  {
    name: 'identity',
    about: 'Registration, login and credentials',
    rpc: 'UserService',
    ownClients: true,
    operations: identityOperations,
    events: Object.values(identityEvents),
    subscriptions: identitySubscriptions,
    tasks: identityTasks,
    jobs: identityJobs,
    personal: identityData,
  },
  {
    name: 'api-keys',
    about: 'Keys with which the programs of a person use the API',
    ownClients: true,
    operations: apiKeyOperations,
    events: Object.values(apiKeyEvents),
    subscriptions: apiKeySubscriptions,
    jobs: apiKeyJobs,
    personal: apiKeyData,
  },
  {
    name: 'search',
    about: 'Search of posts, accounts and hashtags; feeds of hashtags; what is trending',
    rpc: 'PostService',
    operations: searchOperations,
    ...searchWork,
    personal: searchData,
  },
  {
    name: 'accounts',
    about: 'Profiles, follows, blocks and suspensions',
    rpc: 'UserService',
    operations: accountOperations,
    nouns: [accountNoun],
    events: Object.values(accountEvents),
    subscriptions: accountSubscriptions,
    personal: accountData,
  },
  {
    name: 'posts',
    about: 'Posts, comments and likes',
    rpc: 'PostService',
    operations: postOperations,
    nouns: [postNoun],
    events: Object.values(postEvents),
    subscriptions: postSubscriptions,
    personal: postData,
  },
  {
    name: 'feed',
    about: 'The home feed, the public feed, and the posts of an account',
    rpc: 'PostService',
    operations: feedOperations,
    subscriptions: feedSubscriptions,
    channels: [homeChannel],
    personal: feedData,
  },
  {
    name: 'notifications',
    about: 'What others did that concerns the caller',
    rpc: 'NotificationService',
    operations: notificationOperations,
    subscriptions: notificationSubscriptions,
    ...notificationWork,
    channels: [notificationChannel],
    personal: notificationData,
  },
  {
    name: 'deliveries',
    about: 'Who may notify the caller, and mails and pushes about notifications',
    rpc: 'NotificationService',
    ownClients: true,
    operations: deliveryOperations,
    ...deliveryWork,
    personal: deliveryData,
  },
  {
    name: 'media',
    about: 'Images: upload, description, delivery, avatars and header images',
    rpc: 'PostService',
    operations: mediaOperations,
    subscriptions: mediaSubscriptions,
    jobs: mediaJobs,
    personal: mediaData,
  },
  {
    name: 'messaging',
    about: 'Conversations of two people and of groups, and their messages',
    rpc: 'NotificationService',
    ownClients: true,
    operations: [...messagingOperations, ...groupOperations],
    subscriptions: messagingSubscriptions,
    channels: [conversationsChannel, conversationChannel],
    personal: messagingData,
  },
  {
    name: 'audit',
    about: 'The log of security events: of the caller, and for administrators of everyone',
    rpc: 'UserService',
    ownClients: true,
    operations: auditOperations,
    events: [auditEvents.auditRead],
    subscriptions: auditSubscriptions,
    personal: auditData,
  },
  {
    name: 'access',
    about: 'Roles, grants and attributes of accounts, and why an account may do something',
    rpc: 'UserService',
    ownClients: true,
    operations: accessOperations,
    events: Object.values(accessEvents),
    subscriptions: accessSubscriptions,
    personal: accessData,
  },
  {
    name: 'privacy',
    about: 'Exports of personal data, and the deletion of the account',
    rpc: 'UserService',
    ownClients: true,
    operations: privacyOperations,
    ...privacyWork,
    personal: privacyData,
  },
  {
    name: 'apps',
    about: 'Apps of other developers: registration, and what people allow them (OAuth 2.1)',
    rpc: 'UserService',
    ownClients: true,
    operations: appOperations,
    ...appWork,
    personal: appData,
  },
  {
    name: 'webhooks',
    about: 'Webhooks: events of the account, sent to servers of its developers',
    rpc: 'NotificationService',
    ownClients: true,
    operations: webhookOperations,
    events: Object.values(webhookServiceEvents),
    subscriptions: webhookSubscriptions,
    personal: webhookData,
  },
  {
    name: 'analytics',
    about: 'What people see and do, counted: for authors, and for the staff',
    rpc: 'AnalyticsService',
    operations: analyticsOperations,
    subscriptions: analyticsSubscriptions,
    batches: analyticsBatches,
    jobs: analyticsJobs,
    personal: analyticsData,
  },
] satisfies Service[]
/** The services with the exact types of their operations. */
export type TypedService = (typeof typed)[number]
const declared: Service[] = typed

export const channels = declared.flatMap((service) => service.channels ?? [])

/** The table of contents: everything that the services and the platform declare, with defaults filled in. */
export const services = [...declared, ...platformServices(channels)].map(({ operations = [], ...service }) => ({
  mount: '/v1' as const,
  ...service,
  operations: service.ownClients ? operations.map(forOwnClients) : operations,
}))

/** What each service holds of people: its inventory, and how to export it. */
export const personal = services.map(({ name, personal }) => ({ service: name, ...personal }))
/** What the erasure of an account runs, in this order: first what an account has created, then the search index, its login, last sockets and request keys. */
export const erasureParts = [...personal.slice(0, declared.length).reverse(), ...personal.slice(declared.length)]
export const events = services.flatMap((service) => service.events ?? [])
export const subscriptions = services.flatMap(({ name, subscriptions = [] }) => subscriptions.map(ofService(name)))
export const batches = services.flatMap(({ name, batches = [] }) => batches.map(ofService(name)))
export const jobs = services.flatMap(({ name, jobs = [] }) => jobs.map(ofService(name)))
export const tasks = [...services.flatMap(({ name, tasks = [] }) => tasks.map(ofService(name))), shardJobHandler(jobs)]
