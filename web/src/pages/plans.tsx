import './plan/plan.css'
import { DiffIcon, ShieldIcon } from '@primer/octicons-react'
import { Label, LinkButton } from '@primer/react'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { answer, api } from '../api/client'
import { Page } from '../parts/page'
import { Pager, useFilter } from '../parts/search'
import { None, Shown } from '../parts/shown'
import { When } from '../parts/when'
import type { ShownPlan } from './plan/asked'
import { inShort } from './plan/figures'
import { count } from '../parts/count'

/** Plans lists the last plan of each organization. */
export default function Plans() {
  const [filter, set] = useFilter()
  const cursor = filter('cursor')
  const plans = useQuery({
    queryKey: ['plans', cursor],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/plans', { params: { query: { cursor: cursor || undefined } }, signal })),
  })
  return (
    <Page title="Plans" lead="What the next sync of each organization would change, as it was planned last.">
      <Shown of={plans}>
        {(l) =>
          l.plans.length === 0 ? (
            <None
              icon={DiffIcon}
              title="No plans yet"
              act={
                <LinkButton as={Link} to="/connections" variant="primary">
                  Open connections
                </LinkButton>
              }
            >
              An organization that is connected is planned with its first sync.
            </None>
          ) : (
            <>
              <ul className="box">
                {l.plans.map((p) => (
                  <Row key={p.target} of={p} />
                ))}
              </ul>
              <Pager cursor={cursor} next={l.next} go={(c) => set({ cursor: c })} />
            </>
          )
        }
      </Shown>
    </Page>
  )
}

function Row(props: { of: ShownPlan }) {
  const { of: p } = props
  const guards = p.guards.filter((g) => g.changes > 0)
  return (
    <li className="row">
      <div className="inline">
        <h2 className="row-title">
          <Link to={`/organizations/${encodeURIComponent(p.target)}/plan`}>
            <bdi>{p.organization || p.target}</bdi>
          </Link>
        </h2>
        {p.organization && p.organization !== p.target && (
          <span className="muted">
            <bdi>{p.target}</bdi>
          </span>
        )}
        {p.paused && <Label variant="attention">Paused</Label>}
        {p.open && <Label variant="accent">Run {p.open} is under way</Label>}
      </div>
      <p className="below">
        {inShort(p)}
        {(p.summary.teams ?? 0) > 0 && ` in ${count(p.summary.teams ?? 0, 'team')}`}
        {p.written > 0 && `; ${count(p.written, 'change')} made since`}
      </p>
      <ul className="facts small">
        {guards.length > 0 && (
          <li className="attention">
            <ShieldIcon size={16} /> {count(p.summary.objected, 'change')} stopped by{' '}
            {guards.map((g) => g.guard).join(', ')}
          </li>
        )}
        {p.summary.held > 0 && (
          <li>
            <Link to={`/organizations/${encodeURIComponent(p.target)}/plan?part=held`}>
              {p.summary.people === 1 ? '1 person' : `${(p.summary.people ?? 0).toLocaleString()} people`} held
            </Link>
          </li>
        )}
        {p.refused > 0 && (
          <li>
            <Link to={`/organizations/${encodeURIComponent(p.target)}/plan?part=refused`}>
              {count(p.refused, 'mapping')} refused
            </Link>
          </li>
        )}
        {p.leaving > 0 && (
          <li>
            <Link to={`/organizations/${encodeURIComponent(p.target)}/plan?part=leaving`}>
              {p.leaving.toLocaleString()} leaving in grace
            </Link>
          </li>
        )}
        <li className="muted">
          <When at={p.at} />
          {p.run ? (
            <>
              {' '}
              by <Link to={`/runs/${p.run.id}`}>run {p.run.id}</Link>
            </>
          ) : (
            p.by && (
              <>
                {' '}
                for <bdi>{p.by}</bdi>
              </>
            )
          )}
        </li>
      </ul>
    </li>
  )
}
