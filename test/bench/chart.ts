import type { Line } from './report.ts'

const [ROW, TOP, LABELS, BARS, WIDTH] = [26, 44, 260, 380, 760]

/** A bar chart of the CPU time per request as SVG, in colours that are legible on light and dark backgrounds. */
export function chart(lines: Line[]): string {
  const longest = Math.max(...lines.map((line) => line.cpu))
  const bars = lines.map(({ name, cpu, ofRow }, i) => {
    const y = TOP + i * ROW
    const width = Math.max(1, (cpu / longest) * BARS).toFixed(1)
    return `  <text x="${LABELS - 10}" y="${y + 13}" text-anchor="end">${name}</text>
  <rect x="${LABELS}" y="${y}" width="${width}" height="18" rx="3"/>
  <text x="${LABELS + Number(width) + 8}" y="${y + 13}">${cpu} µs · ${ofRow}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${TOP + lines.length * ROW + 10}" role="img" aria-labelledby="title">
  <title id="title">CPU time per request of each operation</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #767676 }
    .heading { font-weight: 600 }
    rect { fill: #3d85c6 }
  </style>
  <text class="heading" x="${LABELS}" y="24">CPU per request · times a one-row select</text>
${bars.join('\n')}
</svg>
`
}
