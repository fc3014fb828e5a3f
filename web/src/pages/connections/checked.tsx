import { AlertIcon, CheckIcon, XIcon } from '@primer/octicons-react'
import { Banner } from '@primer/react'
import type { components } from '../../api/client'
import { sentence } from '../../parts/shown'
import { When } from '../../parts/when'

export type Report = components['schemas']['Checked']

/** Checked is what came of trying a connection: what the credential has, what it lacks, what it should not have, and what to do. */
export function Checked(props: { of: Report }) {
  const r = props.of
  const [trouble, warnings, facts] = [r.trouble ?? [], r.warnings ?? [], r.facts ?? []]
  const rows = [
    ...(r.needs ?? []).map((p) => ({ p, state: 'lacks' as const })),
    ...(r.extra ?? []).map((p) => ({ p, state: 'extra' as const })),
    ...(r.has ?? []).filter((p) => !(r.extra ?? []).includes(p)).map((p) => ({ p, state: 'has' as const })),
  ]
  return (
    <div className="stack" role="status" aria-label="Result of the test">
      {trouble.length === 0 ? (
        <Banner
          variant={warnings.length > 0 ? 'warning' : 'success'}
          title={warnings.length > 0 ? 'It works, with something to look at' : 'It works'}
          description={facts.map(sentence).join(' ')}
        />
      ) : (
        <Banner
          variant="critical"
          title="It does not work yet"
          description={
            <ul className="report-list">
              {trouble.map((t) => (
                <li key={t}>{sentence(t)}</li>
              ))}
            </ul>
          }
        />
      )}
      {warnings.length > 0 && (
        <ul className="report-list">
          {warnings.map((w) => (
            <li key={w}>
              <AlertIcon /> {sentence(w)}
            </li>
          ))}
        </ul>
      )}
      {(r.credential || rows.length > 0) && (
        <div className="box">
          <div className="head">
            <strong>{r.credential || 'Credential'}</strong>
            <span className="small muted">
              {r.expires ? (
                <>
                  ends <When at={r.expires} />
                </>
              ) : (
                'has no known end'
              )}
            </span>
          </div>
          {rows.length > 0 ? (
            <table className="report">
              <thead>
                <tr>
                  <th scope="col">Permission</th>
                  <th scope="col">Standing</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={`${row.state}${row.p}`}>
                    <td>
                      <code className="mono wrap">{row.p}</code>
                    </td>
                    <td>
                      <Standing of={row.state} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <div className="row muted">This sort of credential does not tell what it may do.</div>
          )}
        </div>
      )}
      {(r.notes ?? []).map((n) => (
        <p key={n} className="small muted">
          {sentence(n)}
        </p>
      ))}
    </div>
  )
}

function Standing(props: { of: 'has' | 'lacks' | 'extra' }) {
  switch (props.of) {
    case 'has':
      return (
        <span className="inline">
          <CheckIcon /> Has it
        </span>
      )
    case 'lacks':
      return (
        <span className="inline wrong">
          <XIcon /> Needed, and missing
        </span>
      )
    case 'extra':
      return (
        <span className="inline">
          <AlertIcon /> Should not have it: nothing here needs it
        </span>
      )
  }
}
