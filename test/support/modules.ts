import { runInRunnerObject } from 'cloudflare:test-internal'

type Exports = unknown
type Node = { id: string; exports?: Exports; evaluated: boolean }
type Import = (path: string, ...rest: unknown[]) => Promise<Exports>
type Runner = {
  import: Import
  evaluatedModules: { idToModuleMap: Map<string, Node> }
  evaluator: { runInlinedModule: (context: Record<string, unknown>, code: string, module: Node) => Promise<void> }
}

const DYNAMIC_IMPORT = '__vite_ssr_dynamic_import__'

/**
 * Makes imports at run time safe and cheap in tests. Vitest's module runner shares the promise of a module that loads
 * between all who import it. If they are different Durable Objects or requests, the later ones hang or fail with
 * "Cannot perform I/O on behalf of a different Durable Object". So each module loads in the object that runs the tests,
 * and everyone waits for it in their own context. A module that has loaded is returned at once. Otherwise, each request
 * and each call of an object would ask Vitest's process for the path of the Worker. So promises that a module creates
 * while it loads belong to the tests: that objects share them shows only in production.
 */
export function loadModulesOnce(): void {
  const runner: Runner = Reflect.get(globalThis, '__vitest_mocker__').moduleRunner
  const loaded = new Map<string, Node>()

  const once = async (key: string, load: () => Promise<Exports>): Promise<Exports> => {
    const known = loaded.get(key)
    if (known?.evaluated) return known.exports // not after `vi.resetModules`
    const exports = await runInRunnerObject(load)
    const node = [...runner.evaluatedModules.idToModuleMap.values()].find((each) => each.exports === exports)
    if (node) loaded.set(key, node)
    return exports
  }

  const importPath = runner.import.bind(runner)
  runner.import = (path) => once(path, () => importPath(path))
  const { evaluator } = runner
  const run = evaluator.runInlinedModule.bind(evaluator)
  evaluator.runInlinedModule = (context, code, module) => {
    const load = context[DYNAMIC_IMPORT] as Import
    const dynamicImport: Import = (path, ...rest) => once(`${module.id} ${path}`, () => load(path, ...rest))
    return run({ ...context, [DYNAMIC_IMPORT]: dynamicImport }, code, module)
  }
}
