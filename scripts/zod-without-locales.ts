// Replaces `zod` in the bundle (alias in wrangler.toml) with the parts that we use, to omit zod's translations.

import * as checks from '../node_modules/zod/v4/classic/checks.js'
import * as coerce from '../node_modules/zod/v4/classic/coerce.js'
import * as compat from '../node_modules/zod/v4/classic/compat.js'
import * as errors from '../node_modules/zod/v4/classic/errors.js'
import * as iso from '../node_modules/zod/v4/classic/iso.js'
import * as parse from '../node_modules/zod/v4/classic/parse.js'
import * as schemas from '../node_modules/zod/v4/classic/schemas.js'
import { config, NEVER, toDotPath } from '../node_modules/zod/v4/core/index.js'

export * from '../node_modules/zod/v4/classic/checks.js'
export * from '../node_modules/zod/v4/classic/compat.js'
export * from '../node_modules/zod/v4/classic/errors.js'
export * from '../node_modules/zod/v4/classic/parse.js'
export * from '../node_modules/zod/v4/classic/schemas.js'
export { coerce, config, core, iso, NEVER, z as default, z }

const core = { toDotPath }
const z = { ...schemas, ...checks, ...errors, ...parse, ...compat, coerce, config, core, iso, NEVER }
