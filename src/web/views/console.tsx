import type { Funnel, Overview, Retention, TopPosts } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { Chart } from '../ui/chart.tsx'
import { Link } from '../ui/link.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SaveTable } from '../ui/save-table.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { clockTime, shortDay } from '../ui/time.tsx'
import { usePolling } from '../ui/use-polling.ts'
import { View } from '../ui/view.tsx'

const POLL_MS = 10_000
const CSV = { format: 'csv' } as const

async function loadAll() {
  const [overview, retention, funnel, top] = await Promise.all([
    client.getOverview({}),
    client.getRetention({}),
    client.getFunnel({}),
    client.getTopPosts({}),
  ])
  return { overview, retention, funnel, top }
}

/** For administrators and analysts: how the network does. */
export function Console() {
  const { data, error, load } = useData(loadAll)
  usePolling(load, POLL_MS, [])
  return (
    <View title="Console">
      <SettingsNav />
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {data.value && (
        <>
          <Active overview={data.value.overview} />
          <OverviewCharts overview={data.value.overview} />
          <SaveTable name="overview" label="Download the days as CSV" read={() => client.getOverview(CSV)} />
          <FunnelTable funnel={data.value.funnel} />
          <SaveTable name="funnel" label="Download the funnel as CSV" read={() => client.getFunnel(CSV)} />
          <RetentionTable retention={data.value.retention} />
          <SaveTable name="retention" label="Download the weeks as CSV" read={() => client.getRetention(CSV)} />
          <Top top={data.value.top} />
          <SaveTable name="top-posts" label="Download the top posts as CSV" read={() => client.getTopPosts(CSV)} />
        </>
      )}
    </View>
  )
}

function Active({ overview: { daily, weekly, monthly, stickiness } }: { overview: Overview }) {
  const figures = {
    'Active today': daily,
    'This week': weekly,
    'This month': monthly,
    Stickiness: stickiness === null ? '–' : `${Math.round(stickiness * 100)} %`,
  }
  return (
    <section class="card chart" aria-label="Active people">
      <ul class="figures">
        {Object.entries(figures).map(([label, value]) => (
          <li key={label}>
            <b>{value}</b> {label}
          </li>
        ))}
      </ul>
    </section>
  )
}

function OverviewCharts({ overview: { points, minutes } }: { overview: Overview }) {
  const times = points.map(({ start }) => start)
  const people = [{ label: 'People', values: points.map(({ activePeople }) => activePeople) }]
  const posts = [
    { label: 'Posts', values: points.map((point) => point.posts + point.comments) },
    { label: 'Likes', values: points.map(({ likes }) => likes) },
  ]
  const perMinute = [{ label: 'Posts', values: minutes.map((minute) => minute.posts) }]
  return (
    <>
      <Chart title="Active people" times={times} format={shortDay} series={people} />
      <Chart title="Posts and likes" times={times} format={shortDay} series={posts} />
      <Chart title="Posts per minute" times={minutes.map(({ at }) => at)} format={clockTime} series={perMinute} />
    </>
  )
}

function Grid({ title, head, rows }: { title: string; head: string[]; rows: [string, ...(number | null)[]][] }) {
  return (
    <section class="card chart" aria-label={title}>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard */}
      <section class="chart-table" tabIndex={0} aria-label={`${title}: values`}>
        <table>
          <thead>
            <tr>
              {['Week', ...head].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([start, ...values]) => (
              <tr key={start}>
                <th scope="row">{shortDay(start)}</th>
                {values.map((value, i) => (
                  <td key={head[i]}>{value ?? '<5'}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}

function FunnelTable({ funnel: { points } }: { funnel: Funnel }) {
  const rows = points.map(({ start, registered, verified, followed, posted }): [string, ...(number | null)[]] => [
    start,
    registered,
    verified,
    followed,
    posted,
  ])
  return (
    <Grid
      title="From registration to the first post"
      head={['Registered', 'Verified', 'Followed', 'Posted']}
      rows={rows}
    />
  )
}

function RetentionTable({ retention: { points } }: { retention: Retention }) {
  const head = ['Registered', ...(points[0]?.active ?? []).map(({ week }) => `+${week}`)]
  const rows = points.map(({ start, registered, active }): [string, ...(number | null)[]] => [
    start,
    registered,
    ...active.map(({ people }) => people),
  ])
  return <Grid title="People who come back, by week of registration" head={head} rows={rows} />
}

function Top({ top: { posts } }: { top: TopPosts }) {
  return (
    <section class="card settings" aria-label="Top posts">
      <h2>Top posts of today</h2>
      {posts.length === 0 && <p>None yet. The list is renewed once an hour.</p>}
      <ul class="rows">
        {posts.map(({ post, engagement }) => (
          <li class="row" key={post.id}>
            <div>
              <Link href={`/posts/${post.id}`}>{post.text.slice(0, 80)}</Link>
              <p class="row-value">@{post.author.handle}</p>
            </div>
            <b>{engagement}</b>
          </li>
        ))}
      </ul>
    </section>
  )
}
