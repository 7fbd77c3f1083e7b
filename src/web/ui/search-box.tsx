import type { Account, TagUse } from '../../client/wire.ts'
import { foundPeople, foundPosts, foundTags, type, typed } from '../state/search.ts'
import { tagPath } from '../state/tags.ts'
import { AccountRow } from './account-row.tsx'
import { Link } from './link.tsx'
import { ListView } from './list-view.tsx'
import { plural } from './plural.ts'
import { PostCard } from './post-card.tsx'

export function SearchBox() {
  return (
    <search class="card search">
      <label for="search">Search posts, people and hashtags</label>
      <input
        id="search"
        type="search"
        maxLength={200}
        autocomplete="off"
        value={typed.value}
        onInput={({ currentTarget }) => type(currentTarget.value)}
      />
    </search>
  )
}

export function SearchResults() {
  const list = foundPosts.value
  if (!list) return null
  const [people, tags] = [foundPeople.value, foundTags.value]
  return (
    <div class="search-results">
      <p class="visually-hidden" role="status">
        {`${plural(people.length, 'account')} and ${plural(tags.length, 'hashtag')} found`}
      </p>
      {people.length > 0 && <FoundPeople people={people} />}
      {tags.length > 0 && <FoundTags tags={tags} />}
      <h2>Posts</h2>
      <ListView
        list={list}
        label="Posts that were found"
        moreLabel="Older posts"
        empty={<p>No post has these words.</p>}
        render={({ id }) => <PostCard id={id} />}
      />
    </div>
  )
}

function FoundPeople({ people }: { people: Account[] }) {
  return (
    <section aria-labelledby="found-people">
      <h2 id="found-people">People</h2>
      <ul class="items">
        {people.map((account) => (
          <li key={account.id}>
            <AccountRow account={account} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function FoundTags({ tags }: { tags: TagUse[] }) {
  return (
    <section aria-labelledby="found-tags">
      <h2 id="found-tags">Hashtags</h2>
      <ul class="tags">
        {tags.map(({ tag, uses }) => (
          <li key={tag}>
            <Link href={tagPath(tag)}>#{tag}</Link> <span class="fine">{plural(uses, 'post')} this week</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
