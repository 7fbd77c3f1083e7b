import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { cachedList } from '../state/list.ts'
import { storePost } from '../state/posts.ts'
import { followedTags, loadFollowedTags, setFollowingTag } from '../state/tags.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { useList } from '../ui/list-view.tsx'
import { PostList } from '../ui/post-list.tsx'
import { View } from '../ui/view.tsx'

/** The public posts with a hashtag. */
export function Tag({ tag }: { tag: string }) {
  const list = cachedList(`posts tagged ${tag}`, (query) => client.getTagFeed({ ...query, tag }), storePost)
  useList(list)
  return (
    <View title={`#${tag}`}>
      {session.value && <FollowTag tag={tag} />}
      <PostList list={list} label={`Posts with #${tag}`} moreLabel="Older posts" empty={<p>No posts yet.</p>} />
    </View>
  )
}

function FollowTag({ tag }: { tag: string }) {
  const busy = useSignal(false)
  useEffect(() => void loadFollowedTags().catch(reportError), [])
  const follows = followedTags.value?.has(tag) ?? false
  const toggle = async () => {
    busy.value = true
    const message = follows ? `You no longer follow #${tag}` : `You now follow #${tag}`
    await setFollowingTag(tag, !follows).then(() => showToast(message), reportError)
    busy.value = false
  }
  return (
    <p class="context">
      <button
        type="button"
        class={follows ? 'secondary' : ''}
        disabled={busy.value || followedTags.value === null}
        onClick={() => void toggle()}
      >
        {follows ? 'Unfollow' : 'Follow'}
      </button>
    </p>
  )
}
