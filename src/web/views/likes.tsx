import { useSignal } from '@preact/signals'
import type { Account, Like } from '../api/wire.ts'
import { cachedList, type List, reload } from '../state/list.ts'
import { removeLike, storePost } from '../state/posts.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { PostCard } from '../ui/post-card.tsx'
import { View } from '../ui/view.tsx'
import { AccountRow } from './people.tsx'

/** The accounts that like a post. */
export function Likers({ postId }: { postId: string }) {
  const list = cachedList<Account>(`/posts/${postId}/likes`)
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
  const list = cachedList<Like>('/me/likes', ({ post }) => post && storePost(post))
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
  const busy = useSignal(false)
  const undo = async () => {
    busy.value = true
    await removeLike(id).then(() => showToast('Like removed'), reportError)
    await reload(list)
    busy.value = false
  }
  return (
    <article class="person">
      <div>A post that you can no longer see</div>
      <button type="button" class="secondary" disabled={busy.value} onClick={() => void undo()}>
        Remove like
      </button>
    </article>
  )
}
