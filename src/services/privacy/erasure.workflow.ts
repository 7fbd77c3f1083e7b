import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import { createContext } from '../../platform/create-context.ts'
import type { Id } from '../../platform/data/ids.ts'
import type { Part } from './erasure.ts'

/** The second pass deletes what events have added during the first one. */
const PASSES = [1, 2]

/** The Workflow that erases an account. A step that was interrupted runs again; steps are idempotent. */
export function erasureWorkflow(parts: () => Promise<readonly Part[]>) {
  return class EraseAccount extends WorkflowEntrypoint<Env, { accountId: Id }> {
    override async run({ payload: { accountId } }: Readonly<WorkflowEvent<{ accountId: Id }>>, step: WorkflowStep) {
      const { beginErasure, erasePart, finishErasure } = await import('./erasure.ts')
      if (!(await step.do('begin', () => beginErasure(this.context(), accountId)))) return
      for (const pass of PASSES) {
        for (const part of await parts()) {
          const erase = (n: number) =>
            step.do(`${part.service} ${pass}.${n}`, () => erasePart(this.context(), accountId, part))
          for (let n = 1; !(await erase(n)); ) n += 1
        }
      }
      await step.do('finish', () => finishErasure(this.context(), accountId))
    }

    private context() {
      return createContext({
        env: this.env,
        waitUntil: (work) => this.ctx.waitUntil(work),
        start: 'first-primary',
      })
    }
  }
}
