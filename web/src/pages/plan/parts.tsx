import { Label } from '@primer/react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { answer, api } from '../../api/client'
import { Pager, Search, useFilter } from '../../parts/search'
import { None, sentence, Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { type Of, planKey, type ShownPlan } from './asked'

type Part = { of: Of; plan: ShownPlan }

/** useAsk is what every part of a plan is asked with: the filter in the address, and the digest of the plan that is shown. */
function useAsk(p: Part) {
  const [filter, set] = useFilter()
  const q = filter('q')
  const cursor = filter('cursor')
  const params = {
    path: { target: p.of.target },
    query: { undo: p.of.undo, digest: p.plan.digest, q: q || undefined, cursor: cursor || undefined },
  }
  return { filter, set, q, cursor, params, key: [...planKey(p.of), p.plan.digest, q, cursor] }
}

/** Held are people who should be in a team and cannot be yet. */
export function Held(props: Part) {
  const a = useAsk(props)
  const reason = a.filter('reason')
  const list = useQuery({
    queryKey: [...a.key, 'held', reason],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/targets/{target}/shown-plan/held', {
          params: { ...a.params, query: { ...a.params.query, reason: reason || undefined } },
          signal,
        }),
      ),
  })
  if (props.plan.summary.held === 0)
    return <None title="Nobody is held">Everybody who should be in a team has an account that can be put there.</None>
  return (
    <>
      <ul className="box reasons">
        {props.plan.held.map((h) => (
          <li key={h.reason} className="row line">
            <Label variant="attention">{h.reason}</Label>
            <span className="grow small">{sentence(h.means)}</span>
            <button
              type="button"
              className="quiet-link"
              aria-pressed={reason === h.reason}
              onClick={() => a.set({ reason: reason === h.reason ? '' : h.reason })}
            >
              {reason === h.reason
                ? 'Show all'
                : `Show ${h.people.toLocaleString()} ${h.people === 1 ? 'person' : 'people'}`}
            </button>
          </li>
        ))}
      </ul>
      <div className="filter filter-records">
        <Search label="Find a person or a team" value={a.q} onChange={(q) => a.set({ q })} />
      </div>
      <Shown of={list}>
        {(l) =>
          l.held.length === 0 ? (
            <None title="Nobody fits">No one who is held has this in their name, or in the name of the team.</None>
          ) : (
            <>
              <ul className="box">
                {l.held.map((h) => (
                  <li key={`${h.user} ${h.team} ${h.reason}`} className="row">
                    <span className="inline">
                      <Person user={h.user} name={h.name} />
                      <span className="muted">in</span>
                      <bdi>{h.team}</bdi>
                      <Label variant="attention">{h.reason}</Label>
                    </span>
                    <p className="small muted wrap below">
                      <bdi>{sentence(h.message)}</bdi>
                    </p>
                  </li>
                ))}
              </ul>
              <Pager cursor={a.cursor} next={l.next} go={(cursor) => a.set({ cursor })} />
            </>
          )
        }
      </Shown>
    </>
  )
}

function Person(props: { user: string; name?: string }) {
  const at = props.user.indexOf('/')
  return (
    <Link to={`/people/${encodeURIComponent(props.user.slice(0, at))}/${encodeURIComponent(props.user.slice(at + 1))}`}>
      <bdi>{props.name || props.user}</bdi>
    </Link>
  )
}

/** RefusedMappings are not carried out. They stop nothing else. */
export function RefusedMappings(props: Part) {
  const a = useAsk(props)
  const list = useQuery({
    queryKey: [...a.key, 'refused'],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/targets/{target}/shown-plan/refused', { params: a.params, signal })),
  })
  if (props.plan.refused === 0) return <None title="No mapping is refused">Every mapping is carried out.</None>
  return (
    <>
      <div className="filter filter-records">
        <Search label="Find a team, a mapping or a reason" value={a.q} onChange={(q) => a.set({ q })} />
      </div>
      <Shown of={list}>
        {(l) =>
          l.refused.length === 0 ? (
            <None title="Nothing fits">No refused mapping has this in its name.</None>
          ) : (
            <>
              <ul className="box">
                {l.refused.map((r, i) => (
                  <li key={i} className="row">
                    <span className="inline">
                      <bdi className="strong">{r.team}</bdi>
                      {r.mapping && <span className="mono muted wrap">{r.mapping}</span>}
                      <Label variant="attention">{r.reason}</Label>
                    </span>
                    <p className="small wrap below">
                      <bdi>{sentence(r.message)}</bdi>
                    </p>
                  </li>
                ))}
              </ul>
              <Pager cursor={a.cursor} next={l.next} go={(cursor) => a.set({ cursor })} />
            </>
          )
        }
      </Shown>
    </>
  )
}

/** Leaving are members whose time in a team has an end. */
export function Leaving(props: Part) {
  const a = useAsk(props)
  const list = useQuery({
    queryKey: [...a.key, 'leaving'],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/targets/{target}/shown-plan/leaving', { params: a.params, signal })),
  })
  if (props.plan.leaving === 0) return <None title="Nobody is in grace">No member’s time in a team has an end.</None>
  return (
    <>
      <div className="filter filter-records">
        <Search label="Find a login or a team" value={a.q} onChange={(q) => a.set({ q })} />
      </div>
      <Shown of={list}>
        {(l) =>
          l.leaving.length === 0 ? (
            <None title="Nobody fits">Nobody in grace has this in their login, or in the name of the team.</None>
          ) : (
            <>
              <ul className="box">
                {l.leaving.map((m) => (
                  <li key={`${m.team} ${m.account.id}`} className="row line">
                    <span className="grow">
                      <bdi className="strong">{m.account.login}</bdi> <span className="muted">leaves</span>{' '}
                      <bdi>{m.team}</bdi> <When at={m.at} />
                    </span>
                    <span className="small muted wrap">
                      <bdi>{m.why}</bdi>
                    </span>
                  </li>
                ))}
              </ul>
              <Pager cursor={a.cursor} next={l.next} go={(cursor) => a.set({ cursor })} />
            </>
          )
        }
      </Shown>
    </>
  )
}
