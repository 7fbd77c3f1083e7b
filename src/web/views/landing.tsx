import { publicFeed } from '../state/public-feed.ts'
import { useList } from '../ui/list-view.tsx'
import { PostList } from '../ui/post-list.tsx'
import { View } from '../ui/view.tsx'
import { LogInForm } from './log-in.tsx'

/** The first view of people who are not logged in. */
export function Landing() {
  useList(publicFeed)
  return (
    <View title="Posts from the people you choose, newest first" windowTitle="Welcome">
      <div class="landing">
        <p class="lead">
          SocialConnect is a social network without ads and without a ranked feed: you follow people, and read what they
          post in the order they post it. What you write is yours, so you can take a copy of it or delete it at any
          time.
        </p>
        <LogInForm />
        <section class="landing-posts" aria-labelledby="landing-posts">
          <h2 id="landing-posts">What people are posting</h2>
          <PostList
            list={publicFeed}
            label="Public posts"
            moreLabel="Older posts"
            empty={<p>No posts yet. Yours could be the first.</p>}
          />
        </section>
      </div>
    </View>
  )
}
