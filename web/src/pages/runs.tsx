import { IterationsIcon } from '@primer/octicons-react'
import { Button, Label, Select } from '@primer/react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { answer, api, type components } from '../api/client'
import { Page } from '../parts/page'
import { Pager, useFilter } from '../parts/search'
import { None, Shown } from '../parts/shown'
import { Unconnected } from '../parts/unconnected'
import { lasted, When } from '../parts/when'
import { count } from '../parts/count'
import { askedBy, chosenStates, State, stateOf, stateWords, triggers } from './runs/words'

type Run = components['schemas']['RunStatus']

/** Runs lists syncs, the newest first. */
export default function Runs() {
  const [filter, set] = useFilter()
  const [target, state, trigger, cursor] = [filter('target'), filter('state'), filter('trigger'), filter('cursor')]
  const configured = useQuery({
    queryKey: ['configured'],
    staleTime: 60_000,
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const runs = useQuery({
    queryKey: ['runs', target, state, trigger, cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/runs', {
          params: {
            query: {
              target: target || undefined,
              state: (state || undefined) as 'done' | undefined,
              trigger: (trigger || undefined) as 'person' | undefined,
              cursor: cursor || undefined,
              size: 50,
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: (q) => (q.state.data?.runs.some((r) => stateOf(r) === 'running') ? 3_000 : 15_000),
  })
  const targets = configured.data?.targets ?? []
  const chosen = target || state || trigger
  if (configured.data && targets.length === 0 && runs.data?.runs.length === 0 && !chosen) {
    return (
      <Page title="Runs" lead="Every sync and every undo, the newest first.">
        <Unconnected what="organization">Every sync of it is listed here once one is.</Unconnected>
      </Page>
    )
  }
  return (
    <Page title="Runs" lead="Every sync and every undo, the newest first.">
      <div className="filter filter-records">
        <Select aria-label="Organization" value={target} onChange={(e) => set({ target: e.target.value })}>
          <Select.Option value="">All organizations</Select.Option>
          {[...new Set([...targets.map((t) => t.name), ...(target ? [target] : [])])].map((name) => (
            <Select.Option key={name} value={name}>
              {name}
            </Select.Option>
          ))}
        </Select>
        <Select aria-label="State" value={state} onChange={(e) => set({ state: e.target.value })}>
          <Select.Option value="">All states</Select.Option>
          {chosenStates.map((s) => (
            <Select.Option key={s} value={s}>
              {stateWords(s)}
            </Select.Option>
          ))}
        </Select>
        <Select aria-label="Trigger" value={trigger} onChange={(e) => set({ trigger: e.target.value })}>
          <Select.Option value="">All triggers</Select.Option>
          {Object.entries(triggers).map(([name, text]) => (
            <Select.Option key={name} value={name}>
              {text}
            </Select.Option>
          ))}
        </Select>
      </div>
      <Shown of={runs}>
        {(l) =>
          l.runs.length === 0 ? (
            chosen ? (
              <None
                title="No run fits"
                act={<Button onClick={() => set({ target: '', state: '', trigger: '' })}>Show all runs</Button>}
              >
                There is no run of this sort.
              </None>
            ) : (
              <None icon={IterationsIcon} title="No runs yet">
                The first sync comes with the schedule, or when somebody asks for it. Its plan is under{' '}
                <Link to="/plans">Plans</Link>.
              </None>
            )
          ) : (
            <>
              <ul className="box">
                {l.runs.map((r) => (
                  <Row key={r.id} of={r} />
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

function Row(props: { of: Run }) {
  const { of: r } = props
  return (
    <li className="row">
      <div className="inline">
        <h2 className="row-title">
          <Link to={`/runs/${r.id}`}>Run {r.id}</Link>
        </h2>
        <bdi>{r.target}</bdi>
        <State of={r} />
        {r.undoes && <Label>undoes run {r.undoes}</Label>}
      </div>
      <p className="small muted wrap below">
        <bdi>{askedBy(r.trigger, r.requester)}</bdi> · <When at={r.started_at} />
        {r.finished_at && ` · took ${lasted(r.started_at, r.finished_at)}`}
        {r.finished_at && ` · ${count(r.done, 'write')}`}
        {r.failed > 0 && `, ${r.failed.toLocaleString()} failed`}
        {r.calls > 0 && ` · ${count(r.calls, 'call')}`}
      </p>
      {r.error && (
        <p className="small wrap below">
          <bdi>{r.error}</bdi>
        </p>
      )}
    </li>
  )
}
