import type { Like } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { cachedList, type List } from '../state/list.ts'
import { removeLike, storePost } from '../state/posts.ts'
import { AccountRow } from '../ui/account-row.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { PostCard } from '../ui/post-card.tsx'
import { RemovableRow } from '../ui/removable-row.tsx'
import { View } from '../ui/view.tsx'

/** The accounts that like a post. */
export function Likers({ postId }: { postId: string }) {
  const list = cachedList(`likes of ${postId}`, (query) => client.listLikes({ ...query, postId }))
  useList(list)
  return (
    <View title="Likes">
      <p class="context">
        <Link href={`/posts/${postId}`}>Back to the post</Link>
      </p>
      <ListView
        list={list}
        label="People who like this post"
        empty={<p>No one yet.</p>}
        render={(account) => <AccountRow account={account} />}
      />
    </View>
  )
}

/** The posts that the user likes. Hidden ones are listed too, because their likes can be removed nowhere else. */
export function OwnLikes({ handle }: { handle: string }) {
  const list = cachedList('own likes', client.listMyLikes, ({ post }) => post && storePost(post))
  useList(list)
  return (
    <View title="Your likes">
      <p class="context">
        <Link href={`/@${handle}`}>Back to your profile</Link>
      </p>
      <ListView
        list={list}
        label="Posts that you like"
        empty={<p>You haven’t liked any posts.</p>}
        render={({ id, post }) => (post ? <PostCard id={id} /> : <HiddenLike id={id} list={list} />)}
      />
    </View>
  )
}

function HiddenLike({ id, list }: { id: string; list: List<Like> }) {
  return (
    <RemovableRow list={list} action="Remove like" done="Like removed" remove={() => removeLike(id)}>
      <div>A post that you can no longer see</div>
    </RemovableRow>
  )
}
