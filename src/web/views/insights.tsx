import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Insights as AuthorInsights, PostInsights as OfPost } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { agreed, decide, loadChoice } from '../state/impressions.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Chart } from '../ui/chart.tsx'
import { Link } from '../ui/link.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SaveTable } from '../ui/save-table.tsx'
import { shortDay } from '../ui/time.tsx'
import { usePolling } from '../ui/use-polling.ts'
import { View } from '../ui/view.tsx'
import { ErrorView } from './not-found.tsx'

const POLL_MS = 10_000
const CSV = { format: 'csv' } as const
const HIDDEN = 'Numbers of readers are multiples of 5; fewer than 5 are hidden.'

/** How the posts and the number of followers of the account do. */
export function Insights() {
  const { data, error, load } = useData(() => client.getMyInsights({}))
  usePolling(load, POLL_MS, [])
  return (
    <View title="Insights">
      <p class="context">How people see your posts, in the last two weeks. {HIDDEN}</p>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {data.value && <AuthorCharts insights={data.value} />}
      {data.value && <SaveTable name="insights" read={() => client.getMyInsights(CSV)} />}
      <Choice />
    </View>
  )
}

function AuthorCharts({ insights }: { insights: AuthorInsights }) {
  const { points, sources, bestHours } = insights
  const followers = [{ label: 'New followers', values: points.map(({ newFollowers }) => newFollowers) }]
  return (
    <>
      <PostCharts points={points} />
      <Chart title="New followers" times={points.map(({ start }) => start)} format={shortDay} series={followers} />
      <Parts
        title="Where people saw your posts"
        parts={sources.map(({ surface, readers }) => [surfaceName(surface), readers])}
      />
      <Parts
        title="Best hours (UTC)"
        parts={bestHours.slice(0, 5).map(({ hour, readers }) => [`${String(hour).padStart(2, '0')}:00`, readers])}
      />
    </>
  )
}

function PostCharts({ points }: Pick<OfPost | AuthorInsights, 'points'>) {
  const times = points.map(({ start }) => start)
  const of = (name: 'impressions' | 'reach' | 'likes' | 'comments') => points.map((point) => point[name])
  const views = [
    { label: 'Impressions', values: of('impressions') },
    { label: 'People', values: of('reach') },
  ]
  const reactions = [
    { label: 'Likes', values: of('likes') },
    { label: 'Comments', values: of('comments') },
  ]
  return (
    <>
      <Chart title="Impressions" times={times} format={shortDay} series={views} />
      <Chart title="Likes and comments" times={times} format={shortDay} series={reactions} />
    </>
  )
}

const names: Record<string, string> = {
  home: 'Home',
  public: 'Discover',
  profile: 'Profiles',
  post: 'Threads',
  search: 'Search',
}
const surfaceName = (surface: string) => names[surface] ?? 'Elsewhere'

function Parts({ title, parts }: { title: string; parts: [string, number][] }) {
  return (
    <section class="card settings" aria-label={title}>
      <h2>{title}</h2>
      {parts.length === 0 && <p>Nothing with at least 5 people yet.</p>}
      <ul class="rows">
        {parts.map(([name, readers]) => (
          <li class="row" key={name}>
            <div>{name}</div>
            <b>{readers}</b>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** A switch: whether the person is counted in the statistics of others. */
function Choice() {
  const busy = useSignal(false)
  useEffect(() => void loadChoice().catch(reportError), [])
  const change = async (decision: boolean) => {
    busy.value = true
    await decide(decision)
      .then(() => showToast('Saved'))
      .catch(reportError)
    busy.value = false
  }
  return (
    <section class="card settings" aria-label="Your part in statistics">
      <h2>Your part in statistics</h2>
      <p>
        If you agree, authors see that somebody read their posts, never who. If you decline, nothing that you do is
        counted as yours.
      </p>
      <div class="actions">
        <button
          type="button"
          class="secondary"
          aria-pressed={agreed.value === true}
          disabled={busy.value}
          onClick={() => void change(true)}
        >
          Agree
        </button>
        <button
          type="button"
          class="secondary"
          aria-pressed={agreed.value === false}
          disabled={busy.value}
          onClick={() => void change(false)}
        >
          Decline
        </button>
      </div>
    </section>
  )
}

/** How one of the own posts does. */
export function PostInsights({ postId }: { postId: string }) {
  const { data, error, load } = useData(() => client.getPostInsights({ postId }))
  usePolling(load, POLL_MS, [postId])
  if (error.value !== null && !data.value) return <ErrorView title="Insights" error={error.value} retry={load} />
  return (
    <View title="Insights of a post">
      <p class="context">
        <Link href={`/posts/${postId}`}>View the post</Link>. {HIDDEN}
      </p>
      {!data.value && <Loading />}
      {data.value && <PostCharts points={data.value.points} />}
      {data.value && <SaveTable name={`post-${postId}`} read={() => client.getPostInsights({ postId, ...CSV })} />}
      {data.value && (
        <Parts
          title="Where people saw the post"
          parts={data.value.sources.map(({ surface, readers }) => [surfaceName(surface), readers])}
        />
      )}
    </View>
  )
}
