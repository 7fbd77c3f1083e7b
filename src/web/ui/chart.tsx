import { useEffect, useId, useRef } from 'preact/hooks'
import type uPlot from 'uplot'

type Value = number | null
export type Series = { label: string; values: Value[] }
type Props = {
  title: string
  /** What is below the chart: a time of each value. */
  times: string[]
  format: (time: string) => string
  series: Series[]
  note?: string
}

const HEIGHT = 180
const MOST_POINTS = 31

/** A chart and, beside it, a table with the same values. uPlot loads when the first chart is shown. */
export function Chart({ title, times, format, series, note }: Props) {
  const heading = useId()
  return (
    <section class="card chart" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      {note && <p class="hint">{note}</p>}
      <div class="chart-parts">
        <Canvas times={times} series={series} />
        <ValueTable label={title} times={times} format={format} series={series} />
      </div>
    </section>
  )
}

function Canvas({ times, series }: Pick<Props, 'times' | 'series'>) {
  const holder = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = holder.current
    if (!element) return
    let chart: uPlot | undefined
    let isGone = false
    const draw = async () => {
      const { default: UPlot } = await import('uplot')
      if (isGone) return
      chart?.destroy()
      chart = new UPlot(optionsOf(element, times, series), dataOf(times, series), element)
    }
    void draw()
    const sizes = new ResizeObserver(() => chart?.setSize({ width: element.clientWidth, height: HEIGHT }))
    sizes.observe(element)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    return () => {
      isGone = true
      sizes.disconnect()
      scheme.removeEventListener('change', draw)
      chart?.destroy()
    }
  }, [JSON.stringify([times, series])])
  return <div class="chart-canvas" ref={holder} aria-hidden="true" />
}

const dataOf = (times: string[], series: Series[]): uPlot.AlignedData => [
  times.map((time) => Date.parse(time) / 1_000),
  ...series.map(({ values }) => values),
]

/** A date whose local fields are those of UTC, because days of statistics are in UTC. */
function inUtc(seconds: number): Date {
  const date = new Date(seconds * 1_000)
  return new Date(date.getTime() + date.getTimezoneOffset() * 60_000)
}

/** The colors of the style sheet, as canvas needs them. */
function optionsOf(element: HTMLElement, times: string[], series: Series[]): uPlot.Options {
  const { color, borderTopColor, textDecorationColor, outlineColor } = getComputedStyle(element)
  const axis = { stroke: textDecorationColor, grid: { stroke: borderTopColor, width: 1 }, ticks: { show: false } }
  const strokes = [color, outlineColor]
  const points = { show: times.length <= MOST_POINTS, size: 6 }
  const ofDays = times[0]?.length === 'yyyy-mm-dd'.length
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    tzDate: (seconds) => (ofDays ? inUtc(seconds) : new Date(seconds * 1_000)),
    cursor: { show: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(5, most * 1.1)] } },
    axes: [axis, { ...axis, size: 44 }],
    series: [
      {},
      ...series.map(({ label }, i) => ({ label, stroke: strokes[i], width: 2, dash: i > 0 ? [6, 4] : [], points })),
    ],
  }
}

function ValueTable({ label, times, format, series }: Pick<Props, 'times' | 'format' | 'series'> & { label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
    <section class="chart-table" tabIndex={0} aria-label={`${label}: values`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((each, i) => (
              <th scope="col" key={each.label} class={`line-${i}`}>
                {each.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...times.entries()].reverse().map(([i, time]) => (
            <tr key={time}>
              <th scope="row">{format(time)}</th>
              {series.map((each) => (
                <td key={each.label}>{each.values[i] ?? '<5'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
