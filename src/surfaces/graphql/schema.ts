import type { GraphQLSchema } from 'graphql'
import type { Noun } from '../../platform/graphql/noun.ts'
import type { Operation, VerbOperation } from '../../platform/http/operation.ts'
import type { Channel } from '../../platform/realtime/channels.ts'
import type { Rule } from '../../platform/security/admit.ts'
import { Builder, type Fields } from './builder.ts'
import { nodeFields } from './node-fields.ts'
import { defineNoun } from './nouns.ts'
import { mutationField, queryField, queryName } from './roots.ts'
import { channelField, fieldNameOf } from './subscriptions.ts'
import { Types } from './types.ts'

type Service = { operations: readonly Operation[]; nouns?: readonly Noun[] }
export type Declared = { services: readonly Service[]; channels: readonly Channel[] }

/** Derives the schema from what the services declare: operations, nouns with their relations, and channels. */
export function schemaOf({ services, channels }: Declared): GraphQLSchema {
  const nouns = services.flatMap(({ nouns = [] }) => nouns)
  const operations = services.flatMap(({ operations }) => operations.filter(isOffered))
  const builder = new Builder()
  builder.scalar('DateTime', 'A time in UTC, as in RFC 3339')
  builder.scalar('StringMap', 'An object whose values are texts')
  const types = new Types(builder, nouns)
  const find = {
    operation: (id: string) =>
      found(
        operations.find((operation) => operation.id === id),
        id,
      ),
    noun: (name: string) =>
      found(
        nouns.find((noun) => noun.name === name),
        name,
      ),
  }
  for (const noun of nouns) defineNoun(builder, types, noun, find)
  const queries: Fields = nodeFields(nouns, find)
  const mutations: Fields = {}
  for (const operation of operations) {
    if (operation.method === 'get') queries[queryName(operation.id)] = queryField(builder, types, nouns, operation)
    else mutations[operation.id] = mutationField(types, operation)
  }
  builder.root('queryType', queries)
  builder.root('mutationType', mutations)
  const rule: Rule = { access: 'user', scope: found(socketOf(services), 'openRealtime').scope }
  const place = { builder, types, nouns, find }
  builder.root(
    'subscriptionType',
    Object.fromEntries(channels.map((each) => [fieldNameOf(each.name), channelField(place, each, rule)])),
  )
  return builder.schema()
}

const socketOf = (services: readonly Service[]) =>
  services.flatMap(({ operations }) => operations).find(({ id }) => id === 'openRealtime')

const isOffered = (operation: Operation): operation is VerbOperation => !operation.restOnly && 'run' in operation

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`no service declares ${name} for GraphQL`)
  return value
}
