import { useEffect } from 'preact/hooks'
import type { Post } from '../../client/wire.ts'
import { onAccountChange } from '../api/session.ts'
import { clearDraft, createDraft } from '../state/draft.ts'
import { homeFeed, newPostsLabel, openHomeFeed, showNewPosts } from '../state/home.ts'
import { prepend } from '../state/list.ts'
import { storePost } from '../state/posts.ts'
import { publicFeed } from '../state/public-feed.ts'
import { foundPosts } from '../state/search.ts'
import { showToast } from '../state/toasts.ts'
import { Composer } from '../ui/composer.tsx'
import { FindPeople } from '../ui/find-people.tsx'
import { Link } from '../ui/link.tsx'
import { useList } from '../ui/list-view.tsx'
import { PostList } from '../ui/post-list.tsx'
import { SearchBox, SearchResults } from '../ui/search-box.tsx'
import { Trending } from '../ui/trending.tsx'
import { focusHeading, View } from '../ui/view.tsx'

// Kept outside the component, so that the draft survives a visit to another view.
const draft = createDraft(null)
onAccountChange(() => clearDraft(draft))

export function Home() {
  useEffect(openHomeFeed, [])
  const addPost = (post: Post) => {
    storePost(post)
    prepend(homeFeed, [post])
    showToast('Post published')
  }
  return (
    <View title="Home">
      <Composer draft={draft} label="What’s on your mind?" action="Post" onPublished={addPost} />
      <NewPostsButton />
      <PostList
        list={homeFeed}
        label="Posts from people you follow"
        moreLabel="Older posts"
        empty={<EmptyHomeFeed />}
      />
    </View>
  )
}

function NewPostsButton() {
  if (newPostsLabel.value === '') return null
  const show = () => {
    void showNewPosts()
    scrollTo({ top: 0 })
    focusHeading()
  }
  return (
    <button type="button" class="new-posts" onClick={show}>
      Show {newPostsLabel.value.toLowerCase()}
    </button>
  )
}

function EmptyHomeFeed() {
  return (
    <>
      <p class="empty-title">It’s quiet here</p>
      <p>
        Follow people to see their posts here, or <Link href="/discover">discover</Link> what everyone is posting.
      </p>
    </>
  )
}

export function Discover() {
  return (
    <View title="Discover">
      <SearchBox />
      <SearchResults />
      {!foundPosts.value && <PublicPosts />}
    </View>
  )
}

function PublicPosts() {
  useList(publicFeed)
  return (
    <>
      <Trending />
      <FindPeople narrow />
      <PostList list={publicFeed} label="Public posts" moreLabel="Older posts" empty={<p>No posts yet.</p>} />
    </>
  )
}
