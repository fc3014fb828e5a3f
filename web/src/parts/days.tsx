import type { components } from '../api/client'

type Day = components['schemas']['Day']

const series = [
  { key: 'add', text: 'Added', className: 'day-add' },
  { key: 'update', text: 'Roles changed', className: 'day-update' },
  { key: 'drift', text: 'Put right after a change by hand', className: 'day-drift' },
  { key: 'remove', text: 'Removed', className: 'day-remove' },
] as const

const written = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })
const short = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' })

const height = 120

/** Days draws what was done day by day: what came above the line, who went below it. The same figures stand in a table. */
export function Days(props: { days: Day[] }) {
  const { days } = props
  const total = Object.fromEntries(series.map((s) => [s.key, days.reduce((n, d) => n + d[s.key], 0)]))
  const above = Math.max(0, ...days.map((d) => d.add + d.update + d.drift))
  const below = Math.max(0, ...days.map((d) => d.remove))
  const some = days.filter((d) => d.add + d.update + d.drift + d.remove > 0)
  const first = days[0]
  const last = days[days.length - 1]
  if (!first || !last) return null
  if (some.length === 0)
    return (
      <div className="box">
        <p className="row flat muted">Nothing was changed from {written.format(new Date(first.day))} to today.</p>
      </div>
    )
  const scale = height / Math.max(above + below, 1)
  const line = Math.round(above * scale)
  const width = 24
  return (
    <figure className="box days">
      <figcaption className="inline small">
        {series.map((s) => (
          <span key={s.key} className="inline day-key">
            <svg width="12" height="12" aria-hidden="true">
              <rect width="12" height="12" rx="2" className={s.className} />
            </svg>
            {s.text}: <strong>{(total[s.key] ?? 0).toLocaleString()}</strong>
          </span>
        ))}
      </figcaption>
      <svg
        className="day-chart"
        viewBox={`0 0 ${days.length * width} ${height + 2}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Changes of memberships per day from ${written.format(new Date(first.day))} to ${written.format(new Date(last.day))}. The table below holds the figures.`}
      >
        <defs>
          <pattern id="by-hand" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="6" height="6" className="day-drift-ground" />
            <rect width="2" height="6" className="day-drift-line" />
          </pattern>
        </defs>
        {days.map((d, i) => {
          let top = line
          const bars = series.map((s) => {
            const tall = d[s.key] * scale
            const y = s.key === 'remove' ? line + 1 : (top -= tall)
            return tall > 0 ? (
              <rect key={s.key} x={i * width + 3} y={y} width={width - 6} height={tall} className={s.className} />
            ) : null
          })
          return (
            <g key={d.day}>
              <title>{`${written.format(new Date(d.day))}: ${said(d)}`}</title>
              <rect x={i * width} y={0} width={width} height={height + 2} className="day-room" />
              {bars}
            </g>
          )
        })}
        <rect x="0" y={line} width={days.length * width} height="1" className="day-line" />
      </svg>
      <div className="day-ends small muted" aria-hidden="true">
        <span>{short.format(new Date(first.day))}</span>
        <span>{short.format(new Date(last.day))}</span>
      </div>
      <details className="small">
        <summary>Show as a table</summary>
        <div className="scroll">
          <table className="figures">
            <thead>
              <tr>
                <th scope="col">Day (UTC)</th>
                {series.map((s) => (
                  <th key={s.key} scope="col">
                    {s.text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {some.toReversed().map((d) => (
                <tr key={d.day}>
                  <th scope="row">{written.format(new Date(d.day))}</th>
                  {series.map((s) => (
                    <td key={s.key}>{d[s.key].toLocaleString()}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}

function said(d: Day): string {
  return (
    series
      .filter((s) => d[s.key] > 0)
      .map((s) => `${s.text.toLowerCase()} ${d[s.key].toLocaleString()}`)
      .join(', ') || 'nothing was changed'
  )
}
