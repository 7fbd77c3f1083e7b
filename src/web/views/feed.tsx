import { useEffect } from 'preact/hooks'
import { onAccountChange } from '../api/session.ts'
import type { Post } from '../api/wire.ts'
import { Link, View } from '../router.tsx'
import { clearDraft, newDraft } from '../state/draft.ts'
import { home, news, showNews, visitHome } from '../state/home.ts'
import { clear, makeList, prepend } from '../state/list.ts'
import { keepPost } from '../state/posts.ts'
import { Composer } from '../ui/composer.tsx'
import { FindPeople } from '../ui/find-people.tsx'
import { Timeline, useList } from '../ui/list-view.tsx'
import { tell } from '../ui/toasts.tsx'

// What was written so far survives a look at another view.
const draft = newDraft(null)
const everyone = makeList<Post>('/feeds/public', keepPost)
onAccountChange(() => {
  clearDraft(draft)
  clear(everyone)
})

export function Home() {
  useEffect(visitHome, [])
  const publish = (post: Post) => {
    keepPost(post)
    prepend(home, [post])
    tell('Your post is published')
  }
  return (
    <View title="Home">
      <Composer draft={draft} label="What is on your mind?" action="Post" onSent={publish} />
      <NewsButton />
      <Timeline list={home} label="Posts of the people you follow" older="Older posts" empty={<QuietFeed />} />
    </View>
  )
}

function NewsButton() {
  if (news.value === '') return null
  const show = () => {
    void showNews()
    scrollTo({ top: 0 })
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
  }
  return (
    <button type="button" class="news" onClick={show}>
      Show {news.value.toLowerCase()}
    </button>
  )
}

function QuietFeed() {
  return (
    <>
      <p class="empty-title">It is quiet here</p>
      <p>
        Follow someone, or see what <Link href="/discover">everyone</Link> is writing about.
      </p>
    </>
  )
}

export function Discover() {
  useList(everyone)
  return (
    <View title="Discover">
      <FindPeople narrow />
      <Timeline
        list={everyone}
        label="Public posts of everyone"
        older="Older posts"
        empty={<p>Nobody has written anything yet.</p>}
      />
    </View>
  )
}
