import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import type { Place } from './export-archive.ts'
import type { Source } from './export-run.ts'

/** The Workflow that writes exports of these sources. `src/worker.ts` names it, because it knows all services. */
export function exportWorkflow(sources: () => Promise<readonly Source[]>) {
  return class ExportAccount extends WorkflowEntrypoint<Env, Place> {
    override async run({ payload }: WorkflowEvent<Place>, step: WorkflowStep): Promise<void> {
      const { runExport } = await import('./export-run.ts')
      const ctx: SystemCtx = createContext({
        env: this.env,
        waitUntil: (work) => this.ctx.waitUntil(work),
        start: 'first-primary',
      })
      await runExport(ctx, payload, step, await sources())
    }
  }
}
