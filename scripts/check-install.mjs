// Runs before each script. Without the packages, npm uses the installed Node, which may not understand TypeScript.
import { existsSync } from 'node:fs'

if (!process.features.typescript || !existsSync('node_modules/wrangler')) {
  process.stderr.write('The packages are missing: run npm install first.\n')
  process.exit(1)
}
