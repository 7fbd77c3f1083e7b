import { type Id, newId } from '../../src/platform/data/ids.ts'
import { accountsOn } from '../support/actors.ts'
import { insertLogin } from '../support/logins.ts'
import { mint } from '../support/tokens.ts'
import { type Answer, type Call, call } from './calls.ts'
import { queryFor } from './examples.ts'
import type { Operation } from './operations.ts'
import { kindOfParameter } from './targets.ts'

const missing = newId(0, Date.now() - 86_400_000)
const conversation = 'f'.repeat(32)
const missingOf: Record<string, string> = {
  handle: 'nobody',
  conversation,
  message: `${conversation}.1`,
  delivery: `${missing}.1`,
  group: conversation,
  member: `${conversation}.${missing}`,
  'request to join': `${conversation}.${missing}`,
}
let admin: { id: Id; sessionId: string } | undefined

/** Its login is fresh, so that operations which require that parse its requests. */
async function newAdmin() {
  const [id] = await accountsOn(0)
  return { id, sessionId: await insertLogin(id) }
}

const queries = new Map<string, string>()

/** The query with which the operation succeeds. The records that it names are created once. */
export async function queryOf({ id }: Operation): Promise<string> {
  const query = queries.get(id) ?? (await queryFor(id))
  queries.set(id, query)
  return query
}

type Target = { query?: string; parameter?: string }

/** Calls the operation as an admin, by default on a target that does not exist. `query` follows what it requires. */
export async function callAsAdmin(
  operation: Operation,
  { query = '', parameter, ...rest }: Partial<Call> & Target = {},
): Promise<Answer> {
  admin ??= await newAdmin()
  const required = await queryOf(operation)
  const search = required ? required + query.replace('?', '&') : query
  const token = await mint(admin.id, { role: 'admin', sessionId: admin.sessionId })
  return call({ method: operation.method, path: pathOf(operation, parameter) + search, token, ...rest })
}

/** The path of the operation with its parameters filled in. */
export function pathOf({ path, parameters }: Operation, parameter?: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const options = parameters.find((each) => each.name === name)!.schema.enum as string[] | undefined
    return options?.[0] ?? parameter ?? missingOf[kindOfParameter[name] ?? ''] ?? missing
  })
}
