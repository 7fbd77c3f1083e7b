import { client } from '../api/client.ts'
import { tagPath } from '../state/tags.ts'
import { Link } from './link.tsx'
import { useData } from './loading.tsx'
import { plural } from './plural.ts'

const SHOWN = 5

/** Says why each entry is listed. Shows nothing while there is none, or while the lists cannot be read. */
export function Trending() {
  const { data } = useData(async () => {
    const [tags, links, posts] = await Promise.all([
      client.getTrendingTags({}),
      client.getTrendingLinks({}),
      client.getTrendingPosts({}),
    ])
    const entries = [
      ...tags.items.map(({ tag, ...why }) => ({ href: tagPath(tag), label: `#${tag}`, ...why })),
      ...posts.items.map(({ post, ...why }) => ({ href: `/posts/${post.id}`, label: post.text || 'An image', ...why })),
      ...links.items.map(({ url, ...why }) => ({ href: url, label: url.replace(/^https?:\/\//, ''), ...why })),
    ]
    return entries.sort((a, b) => b.actors - a.actors).slice(0, SHOWN)
  })
  const entries = data.value ?? []
  if (entries.length === 0) return null
  return (
    <section class="card trending" aria-labelledby="trending">
      <h2 id="trending">Trending</h2>
      <ol>
        {entries.map(({ href, label, actors, hours }) => (
          <li key={href}>
            {href.startsWith('/') ? (
              <Link href={href}>{label}</Link>
            ) : (
              <a href={href} target="_blank" rel="noopener noreferrer nofollow">
                {label}
              </a>
            )}
            <span class="fine">{`${plural(actors, 'account')} in ${plural(hours, 'hour')}`}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
