export type Step =
  | { do: 'follow' | 'unfollow' | 'block' | 'unblock'; who: string; whom: string }
  | { do: 'suspend' | 'lift' | 'leave' | 'return'; whom: string }
  | { do: 'post'; who: string; id: string; open: boolean; parent: string | null; mention: string | null }
  | { do: 'like' | 'unlike' | 'delete'; who: string; id: string }
export type Post = {
  author: string
  open: boolean
  parent: string | null
  root: string | null
  /** The author of the parent and the mentioned account, who may read the post even if its root is hidden from them. */
  addressed: (string | null)[]
  likes: Set<string>
}

export type Model = ReturnType<typeof makeModel>

/** A model of who sees what, in plain sets. It shares no code with the product. Both must agree after every step. */
export function makeModel(people: string[]) {
  const [follows, blocks, suspended] = [new Set<string>(), new Set<string>(), new Set<string>()]
  /** Accounts that wait for their erasure. */
  const left = new Set<string>()
  const posts = new Map<string, Post>()
  const notifications: { to: string; kind: string; actor: string; id: string | null }[] = []

  const isFollower = (a: string | null, b: string) => a === b || follows.has(`${a} ${b}`)
  const isHidden = (who: string) => suspended.has(who) || left.has(who)
  const knows = (viewer: string | null, who: string) => !isHidden(who) && !blocks.has(`${who} ${viewer}`)
  const isHiddenPost = (viewer: string | null, { author }: Post) =>
    !knows(viewer, author) || blocks.has(`${viewer} ${author}`)
  const sees = (viewer: string | null, id: string): boolean => {
    const post = posts.get(id)
    if (!post || isHiddenPost(viewer, post)) return false
    const isAddressed = viewer !== null && [post.author, ...post.addressed].includes(viewer)
    return isAddressed || (post.root === null ? post.open || isFollower(viewer, post.author) : sees(viewer, post.root))
  }
  /** Whether a viewer who sees the post also sees the comments under it. */
  const seesThread = (viewer: string | null, id: string) => sees(viewer, posts.get(id)?.root ?? id)
  const withdrawn = new Set<string>()
  const isNotified = (...fields: (string | null)[]) =>
    notifications.some(({ to, kind, actor, id }) => [to, kind, actor, id].join() === fields.join())
  function notify(to: string, kind: string, actor: string, id: string | null): void {
    if (to === actor || (id !== null && !sees(to, id)) || isNotified(to, kind, actor, id)) return
    notifications.push({ to, kind, actor, id })
  }

  function withdraw(to: string, kind: string, actor: string, id: string | null): boolean {
    const at = notifications.findIndex(
      (each) => [each.to, each.kind, each.actor, each.id].join() === [to, kind, actor, id].join(),
    )
    if (at >= 0) notifications.splice(at, 1)
    return at >= 0
  }

  /** Applies the step if it is allowed, and returns whether it was. */
  function apply(step: Step): boolean {
    if (step.do === 'delete') return posts.get(step.id)?.author === step.who && posts.delete(step.id)
    if (step.do === 'suspend') suspended.add(step.whom)
    else if (step.do === 'lift') suspended.delete(step.whom)
    else if (step.do === 'leave') left.add(step.whom)
    else if (step.do === 'return') left.delete(step.whom)
    else if (step.do === 'post') {
      const { who, id, open, parent, mention } = step
      const parentPost = parent === null ? null : posts.get(parent)!
      if (parent !== null && !(sees(who, parent) && seesThread(who, parent))) return false
      const mentioned = mention !== null && knows(who, mention) ? mention : null
      const addressed = [parentPost?.author ?? null, mentioned]
      const root = parentPost && (parentPost.root ?? parent)
      posts.set(id, { author: who, open: parentPost?.open ?? open, parent, root, addressed, likes: new Set() })
      if (parentPost) notify(parentPost.author, 'comment', who, id)
      if (mentioned !== null && mentioned !== parentPost?.author) notify(mentioned, 'mention', who, id)
    } else if ('id' in step) {
      if (step.do === 'like' && !sees(step.who, step.id)) return false
      const { author, likes } = posts.get(step.id)!
      const pair = `${step.who} ${step.id}`
      // A like that has notified does not notify again after it was withdrawn.
      if (step.do === 'like' && !likes.has(step.who) && !withdrawn.has(pair)) notify(author, 'like', step.who, step.id)
      if (step.do === 'unlike' && withdraw(author, 'like', step.who, step.id)) withdrawn.add(pair)
      likes[step.do === 'like' ? 'add' : 'delete'](step.who)
    } else if ('who' in step) {
      const [pair, reverse] = [`${step.who} ${step.whom}`, `${step.whom} ${step.who}`]
      if (step.do === 'follow' && (!knows(step.who, step.whom) || blocks.has(pair))) return false
      if (step.do === 'follow' && !follows.has(pair)) notify(step.whom, 'follow', step.who, null)
      if (step.do === 'follow') follows.add(pair)
      if (step.do === 'unfollow' || step.do === 'block') follows.delete(pair)
      if (step.do === 'block') blocks.add(pair) && follows.delete(reverse)
      if (step.do === 'unblock') blocks.delete(pair)
      if (!follows.has(pair)) withdraw(step.whom, 'follow', step.who, null)
      if (!follows.has(reverse)) withdraw(step.who, 'follow', step.whom, null)
    }
    return true
  }

  return {
    people,
    follows,
    blocks,
    suspended,
    left,
    isHidden,
    posts,
    notifications,
    knows,
    sees,
    seesThread,
    isFollower,
    apply,
  }
}
