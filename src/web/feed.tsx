import { useEffect } from 'preact/hooks'
import { tell } from './announce.tsx'
import { Composer } from './composer.tsx'
import { clearDraft, newDraft } from './draft.ts'
import { FindPeople } from './find-people.tsx'
import { home, news, showNews, visitHome } from './home.ts'
import { clear, makeList, prepend } from './list.ts'
import { keepPost } from './posts.ts'
import { Link, View } from './router.tsx'
import { onAccountChange } from './session.ts'
import { Timeline, useList } from './timeline.tsx'
import type { Post } from './wire.ts'

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
