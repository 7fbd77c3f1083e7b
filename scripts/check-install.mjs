// Preloaded before a script. Node is one of the packages: without them, npm runs another Node, which may not understand
// TypeScript.
import { existsSync } from 'node:fs'

if (!process.features.typescript || !existsSync('node_modules/wrangler')) {
  process.stderr.write('The packages are missing: run npm install first.\n')
  process.exit(1)
}
