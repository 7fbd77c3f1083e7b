export type Step =
  | { do: 'follow' | 'unfollow' | 'block' | 'unblock'; who: string; whom: string }
  | { do: 'suspend' | 'lift'; whom: string }
  | { do: 'post'; who: string; id: string; open: boolean; parent: string | null; mention: string | null }
  | { do: 'like' | 'unlike' | 'delete'; who: string; id: string }
export type Post = { author: string; open: boolean; parent: string | null; root: string | null; likes: Set<string> }

export type Model = ReturnType<typeof makeModel>

/** Who sees what, in plain sets. It shares nothing with the product: what both say must be the same. */
export function makeModel(people: string[]) {
  const [follows, blocks, suspended] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const posts = new Map<string, Post>()
  const news: { to: string; kind: string; actor: string; id: string | null }[] = []

  const isFollower = (a: string | null, b: string) => a === b || follows.has(`${a} ${b}`)
  const knows = (viewer: string | null, who: string) => !suspended.has(who) && !blocks.has(`${who} ${viewer}`)
  const sees = (viewer: string | null, id: string): boolean => {
    const { author, open, root } = posts.get(id) ?? { author: '', open: false, root: null }
    const hidden = !posts.has(id) || !knows(viewer, author) || blocks.has(`${viewer} ${author}`)
    return !hidden && (open || isFollower(viewer, author)) && (root === null || sees(viewer, root))
  }
  const isTold = (...of: (string | null)[]) =>
    news.some((n) => `${n.to},${n.kind},${n.actor},${n.id ?? ''}` === of.join())
  const tell = (to: string, kind: string, actor: string, id: string | null) =>
    to !== actor && (id === null || sees(to, id)) && !isTold(to, kind, actor, id) && news.push({ to, kind, actor, id })

  /** Takes the step if it is allowed, and says whether it was. */
  function take(step: Step): boolean {
    if (step.do === 'delete') return posts.get(step.id)?.author === step.who && posts.delete(step.id)
    if (step.do === 'suspend') suspended.add(step.whom)
    else if (step.do === 'lift') suspended.delete(step.whom)
    else if (step.do === 'post') {
      const { who, id, open, parent, mention } = step
      const above = parent === null ? null : posts.get(parent)!
      if (parent !== null && !sees(who, parent)) return false
      posts.set(id, { author: who, open, parent, root: above && (above.root ?? parent), likes: new Set() })
      if (above) tell(above.author, 'comment', who, id)
      if (mention !== null && mention !== above?.author && knows(who, mention)) tell(mention, 'mention', who, id)
    } else if ('id' in step) {
      if (!sees(step.who, step.id)) return false
      const { author, likes } = posts.get(step.id)!
      if (step.do === 'like' && !likes.has(step.who)) tell(author, 'like', step.who, step.id)
      likes[step.do === 'like' ? 'add' : 'delete'](step.who)
    } else if ('who' in step) {
      const [there, back] = [`${step.who} ${step.whom}`, `${step.whom} ${step.who}`]
      if (step.do === 'follow' && (!knows(step.who, step.whom) || blocks.has(there))) return false
      if (step.do === 'follow' && !follows.has(there)) tell(step.whom, 'follow', step.who, null)
      if (step.do === 'follow') follows.add(there)
      if (step.do === 'unfollow' || step.do === 'block') follows.delete(there)
      if (step.do === 'block') blocks.add(there) && follows.delete(back)
      if (step.do === 'unblock') blocks.delete(there)
    }
    return true
  }

  return { people, follows, blocks, suspended, posts, news, knows, sees, isFollower, take }
}
