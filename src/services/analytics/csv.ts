import type { Table } from '../../platform/http/csv.ts'

type Cell = string | number | null

export function tableOfPoints({ points }: { points: readonly Record<string, Cell>[] }): Table {
  return { header: Object.keys(points[0] ?? {}), rows: points.map((point) => Object.values(point)) }
}

type Cohorts = {
  points: readonly { start: string; registered: number | null; active: readonly { people: number | null }[] }[]
}

export function tableOfRetention({ points }: Cohorts): Table {
  const most = Math.max(0, ...points.map(({ active }) => active.length))
  const weeks = Array.from({ length: most }, (_, week) => week)
  return {
    header: ['start', 'registered', ...weeks.map((week) => `week${week}`)],
    rows: points.map(({ start, registered, active }) => [
      start,
      registered,
      ...weeks.map((week) => active[week]?.people ?? null),
    ]),
  }
}

type Top = { posts: readonly { post: { id: string; author: { id: string } }; engagement: number }[] }

export function tableOfTop({ posts }: Top): Table {
  return {
    header: ['post', 'author', 'engagement'],
    rows: posts.map(({ post, engagement }) => [post.id, post.author.id, engagement]),
  }
}
