import type { Post } from '../../client/wire.ts'
import { type ListProps, ListView } from './list-view.tsx'
import { PostCard } from './post-card.tsx'

export function PostList(props: ListProps<Post>) {
  return <ListView {...props} render={({ id }) => <PostCard id={id} />} />
}
