import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

const { directory, shard, index, audit } = env.MIGRATIONS
await applyD1Migrations(env.DIRECTORY, directory)
await applyD1Migrations(env.SHARD_0, shard)
await applyD1Migrations(env.SHARD_1, shard)
await applyD1Migrations(env.INDEX, index)
await applyD1Migrations(env.AUDIT, audit)
