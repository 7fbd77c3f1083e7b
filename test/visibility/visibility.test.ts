import fc from 'fast-check'
import { expect, test } from 'vitest'
import { operations } from '../sweeps/operations.ts'
import { type Model, makeModel, type Step } from './model.ts'
import { openStage, people } from './stage.ts'
import { type Surface, surfaces } from './surfaces.ts'

/** How many random worlds are tried: `VISIBILITY_RUNS=10000 npm test -- visibility` for a long night. */
const RUNS = Number(process.env.VISIBILITY_RUNS || 10)
const TIMEOUT_MS = 60_000 + RUNS * 30_000

type Viewer = string | null
type Stage = Awaited<ReturnType<typeof openStage>>
type View = Record<string, unknown>
const viewers: Viewer[] = [...people, null]

const kinds = [
  ...(['follow', 'unfollow', 'block', 'unblock', 'suspend', 'lift'] as const),
  ...(['post', 'comment', 'like', 'unlike', 'delete'] as const),
]
const often = [
  'follow',
  'follow',
  'block',
  'suspend',
  'lift',
  'lift',
  'post',
  'post',
  'comment',
  'comment',
  'comment',
  'like',
] as const
const Person = fc.constantFrom(...people)
const Idea = fc.record({
  do: fc.constantFrom(...kinds, ...often),
  who: Person,
  whom: Person,
  open: fc.boolean(),
  mention: fc.option(Person),
  pick: fc.nat(),
  /** Whether the deferred work is done, or lost with the isolate. */
  survives: fc.boolean(),
  seed: fc.nat(),
})
type Idea = typeof Idea extends fc.Arbitrary<infer T> ? T : never

/** A world in which each kind of step is taken once, ahead of the random ones. */
const plain = { open: true, mention: null, pick: 0, survives: true, seed: 1 }
const first: Idea[] = [
  { ...plain, do: 'post', who: 'ada', whom: 'bob' },
  { ...plain, do: 'follow', who: 'bob', whom: 'ada' },
  { ...plain, do: 'comment', who: 'bob', whom: 'ada' },
  { ...plain, do: 'like', who: 'cyd', whom: 'ada' },
  { ...plain, do: 'unlike', who: 'cyd', whom: 'ada' },
  { ...plain, do: 'unfollow', who: 'bob', whom: 'ada' },
  { ...plain, do: 'block', who: 'ada', whom: 'bob' },
  { ...plain, do: 'unblock', who: 'ada', whom: 'bob' },
  { ...plain, do: 'suspend', who: 'ada', whom: 'cyd' },
  { ...plain, do: 'lift', who: 'ada', whom: 'cyd' },
  { ...plain, do: 'delete', who: 'ada', whom: 'bob', pick: 1 },
]

/** A world in which two block each other and take it back in turn, and one who is suspended is unfollowed. */
const mutual: Idea[] = [
  { ...plain, do: 'post', who: 'ada', whom: 'bob' },
  { ...plain, do: 'post', who: 'bob', whom: 'ada' },
  { ...plain, do: 'block', who: 'ada', whom: 'bob' },
  { ...plain, do: 'block', who: 'bob', whom: 'ada', survives: false },
  { ...plain, do: 'unblock', who: 'ada', whom: 'bob', survives: false },
  { ...plain, do: 'follow', who: 'bob', whom: 'ada' },
  { ...plain, do: 'unblock', who: 'bob', whom: 'ada' },
  { ...plain, do: 'follow', who: 'bob', whom: 'ada' },
  { ...plain, do: 'suspend', who: 'cyd', whom: 'ada' },
  { ...plain, do: 'unfollow', who: 'bob', whom: 'ada' },
  { ...plain, do: 'block', who: 'bob', whom: 'ada' },
  { ...plain, do: 'lift', who: 'cyd', whom: 'ada' },
]

function picked<T>(items: Iterable<T>, pick: number): T | undefined {
  const all = [...items]
  return all[pick % all.length]
}

/** The step that an idea comes to in this world: what is taken back is something that there is. Null when it makes no sense. */
function stepOf(idea: Idea, model: Model, number: number): Step | null {
  const { do: what, who, whom, open, mention, pick } = idea
  if (what === 'suspend') return { do: what, whom }
  if (what === 'lift') return { do: what, whom: picked(model.suspended, pick) ?? whom }
  if (what === 'follow' || what === 'unfollow' || what === 'block' || what === 'unblock') {
    const step = pairOf(idea, model)
    return step.who === step.whom || model.suspended.has(step.who) ? null : { do: what, ...step }
  }
  if (model.suspended.has(who)) return null
  if (what === 'post') return { do: what, who, id: `p${number}`, open, parent: null, mention }
  const id = picked(model.posts.keys(), pick)
  if (id === undefined) return null
  if (what === 'comment') return { do: 'post', who, id: `p${number}`, open, parent: id, mention }
  return { do: what, who: what === 'delete' && pick % 2 ? model.posts.get(id)!.author : who, id }
}

/** Who does it to whom: mostly people between whom there is something that ends by it, or whose block is answered by another. */
function pairOf({ do: what, who, whom, pick }: Idea, { follows, blocks }: Model): { who: string; whom: string } {
  const isBack = what === 'block' && pick % 3 === 0
  const there = what === 'unblock' || isBack ? blocks : what === 'follow' ? [] : follows
  const [first, second] = picked(there, pick)?.split(' ') ?? [who, whom]
  const [a, b] = [first!, second!]
  return isBack || (what === 'block' && pick % 2) ? { who: b, whom: a } : { who: a, whom: b }
}

/** What `ask` answers of everything there is, by operation and name; nothing of what it answers `undefined`. */
async function view(stage: Stage, viewer: Viewer, ask: (surface: Surface, name: string) => unknown): Promise<View> {
  const things = { ...stage.things(), viewer: viewer === null ? [] : [''], everyone: [''] }
  const answers = Object.entries(surfaces).flatMap(([operation, surface]) =>
    things[surface.of].map(async (name) => [`${operation} ${name}`, await ask(surface, name)] as const),
  )
  return Object.fromEntries((await Promise.all(answers)).filter(([, answer]) => answer !== undefined))
}

function shownTo(viewer: Viewer, stage: Stage): Promise<View> {
  const look = stage.lookFrom(viewer)
  const absent = (error: { code?: string }) => {
    if (error.code !== 'not_found') throw error
  }
  return view(stage, viewer, (surface, name) => surface.actual({ ...look, name }).catch(absent))
}

/** What a step hides at once, ahead of every event, and from whom. */
function revoked(step: Step, { posts }: Model): { from: Viewer[]; names: string[] } | null {
  const whose = step.do === 'block' ? step.who : step.do === 'suspend' ? step.whom : null
  const gone = step.do === 'delete' ? step.id : null
  if (whose === null && gone === null) return null
  const isTheirs = (id: string | null) => id !== null && (id === gone || posts.get(id)?.author === whose)
  const hidden = [...posts.keys()].filter((id) => isTheirs(id) || isTheirs(posts.get(id)!.root))
  const from = step.do === 'block' ? [step.whom] : viewers.filter((viewer) => viewer !== whose)
  return { from, names: whose === null ? hidden : [whose, ...hidden] }
}

async function expectHidden(stage: Stage, hidden: { from: Viewer[]; names: string[] }): Promise<void> {
  for (const viewer of hidden.from) {
    const words = new Set(JSON.stringify(await shownTo(viewer, stage)).match(/\w+/g))
    expect({ viewer, leaked: hidden.names.filter((name) => words.has(name)) }).toEqual({ viewer, leaked: [] })
  }
}

/** The frames that a step sends to each socket that is open. */
function expectedFrames(step: Step, model: Model, told: Model['news']): Record<string, string[]> {
  const open = people.filter((name) => !model.suspended.has(name))
  const isRoot = step.do === 'post' && step.parent === null
  const frames = open.map((name) => {
    const home = isRoot && model.isFollower(name, step.who) ? [`post.published ${step.who} ${step.id}`] : []
    return [name, [...home, ...told.filter(({ to }) => to === name).map(({ kind }) => kind)].sort()] as const
  })
  return Object.fromEntries(frames)
}

async function expectView(viewer: Viewer, stage: Stage, model: Model, step: Step): Promise<void> {
  const expected = await view(stage, viewer, (surface, name) => surface.expected(model, viewer, name))
  expect({ viewer, step, ...(await shownTo(viewer, stage)) }).toEqual({ viewer, step, ...expected })
}

const done = new Set<Idea['do']>()

async function playWorld(ideas: Idea[]): Promise<void> {
  const model = makeModel(people)
  const stage = await openStage()
  let number = 0
  for (const idea of ideas) {
    const step = stepOf(idea, model, number)
    if (step === null) continue
    const hidden = revoked(step, model)
    const wasSuspended = step.do === 'lift' && model.suspended.has(step.whom)
    const newsBefore = model.news.length
    const allowed = model.take(step)
    expect({ step, allowed: await stage.take(step) }).toEqual({ step, allowed })
    if (allowed) done.add(step.do === 'post' && step.parent !== null ? 'comment' : step.do)
    if (step.do === 'post' && allowed) number += 1
    if (hidden && allowed) await expectHidden(stage, hidden)
    await stage.afterwards({ run: idea.survives })
    await stage.deliver({ times: 2, random: seeded(idea.seed) })
    if (wasSuspended) await stage.connect(step.whom)
    expect({ step, heard: await stage.heard() }).toEqual({
      step,
      heard: expectedFrames(step, model, model.news.slice(newsBefore)),
    })
    await Promise.all(viewers.map((viewer) => expectView(viewer, stage, model, step)))
  }
  stage.close()
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed % 2_147_483_648
  return () => {
    state = (state * 1_103_515 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

test(
  'what everyone sees, on every surface and after every step, is what the model says',
  async () => {
    const world = fc.array(Idea, { minLength: 12, maxLength: 25, size: 'max' })
    await fc.assert(fc.asyncProperty(world, playWorld), {
      numRuns: RUNS,
      unbiased: true,
      examples: [[first], [mutual]],
    })
    expect(done, 'some kind of step was never taken').toEqual(new Set(kinds))
  },
  TIMEOUT_MS,
)

test('every operation that reads is idIn the surfaces', () => {
  // Keys and limits are everyone's; what a socket is sent is compared after every step.
  const apart = ['listSigningKeys', 'getLimits', 'openRealtime']
  const reading = operations.filter(({ method }) => method === 'GET').map(({ id }) => id)
  expect(
    reading.filter((id) => !(id in surfaces) && !apart.includes(id)),
    'add to test/visibility/surfaces.ts',
  ).toEqual([])
})
