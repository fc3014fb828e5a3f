import { HistoryIcon, LogIcon, StopIcon } from '@primer/octicons-react'
import { Banner, Button, Label, ProgressBar, Select, Spinner } from '@primer/react'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router'
import { answer, api, type components } from '../api/client'
import { Confirm } from '../parts/confirm'
import { Page, Section } from '../parts/page'
import { Pager, Search, useFilter } from '../parts/search'
import { None, sentence, Shown, Waiting, wordsOf } from '../parts/shown'
import { duration, lasted, Moment, When } from '../parts/when'
import { may, useMe } from '../shell/me'
import { acts, Result, resultWords, Sign } from './plan/change'
import { count } from '../parts/count'
import { type Live, type Progress, useLive } from './runs/events'
import { askedBy, State, stateOf } from './runs/words'

type Run = components['schemas']['ShownRun']

/** Run is one sync or undo: live while it is under way, and what came of it afterwards. */
export default function RunPage() {
  const id = useParams().run ?? ''
  return <RunOf key={id} id={id} />
}

function RunOf(props: { id: string }) {
  const { id } = props
  const queries = useQueryClient()
  const me = useMe()
  const key = ['run', id]
  const run = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/runs/{run}/summary', { params: { path: { run: id } }, signal })),
  })
  const r = run.data
  const running = r !== undefined && stateOf(r) === 'running'
  // Where the events are taken up: a little before the end of what there is, so that the page shows what was done last.
  const [from, setFrom] = useState<number>()
  if (running && from === undefined) setFrom(Math.max(0, r.settled - 20))
  const live = useLive(id, from, run.dataUpdatedAt)
  useEffect(() => {
    if (live.link === 'ended') void queries.invalidateQueries({ queryKey: ['run', id] })
  }, [live.link, queries, id])
  const [cancel, setCancel] = useState(false)
  const operates = may(me.data, 'owner', r?.target ?? '')
  return (
    <Page
      title={`Run ${id}`}
      crumbs={[
        { to: '/runs', text: 'Runs' },
        { to: `/runs/${id}`, text: `Run ${id}` },
      ]}
      labels={r && <State of={r} />}
      lead={r && <Lead of={r} />}
      acts={
        r && (
          <>
            <Button as={Link} to={`/audit?run=${r.id}`} leadingVisual={LogIcon}>
              Audit entries
            </Button>
            {running && (
              <Button
                variant="danger"
                leadingVisual={StopIcon}
                disabled={!operates || !!r.cancelled_by}
                onClick={() => setCancel(true)}
              >
                {r.cancelled_by ? 'Being cancelled' : 'Cancel run'}
              </Button>
            )}
            {!running &&
              r.undoable > 0 &&
              !r.undone_by &&
              (operates ? (
                <Button
                  as={Link}
                  to={`/runs/${r.id}/undo?target=${encodeURIComponent(r.target ?? '')}`}
                  leadingVisual={HistoryIcon}
                >
                  Undo…
                </Button>
              ) : (
                <Button disabled leadingVisual={HistoryIcon}>
                  Undo…
                </Button>
              ))}
          </>
        )
      }
    >
      <Shown of={run} waiting={<Waiting rows={4} />}>
        {(shown) => (
          <>
            <Notices of={shown} />
            {running || (live.link === 'ended' && !shown.finished_at) ? (
              <Following of={shown} live={live} />
            ) : (
              <Outcome of={shown} />
            )}
            <Facts of={shown} />
          </>
        )}
      </Shown>
      {r && cancel && (
        <Confirm
          title={`Cancel run ${id}?`}
          act="Cancel run"
          danger
          does={async () => {
            await answer(api.POST('/api/musterline/runs/{run}/cancel', { params: { path: { run: id } }, body: {} }))
            await queries.invalidateQueries({ queryKey: key })
          }}
          close={() => setCancel(false)}
        >
          <p>It ends after the write in hand. What was written stays, and the next sync does the rest.</p>
        </Confirm>
      )}
    </Page>
  )
}

function Lead(props: { of: Run }) {
  const { of: r } = props
  return (
    <>
      {r.undoes ? (
        <>
          Undo of <Link to={`/runs/${r.undoes}`}>run {r.undoes}</Link>
        </>
      ) : (
        'Sync'
      )}{' '}
      of{' '}
      <Link to={`/organizations/${encodeURIComponent(r.target ?? '')}/plan`}>
        <bdi>{r.organization || r.target}</bdi>
      </Link>
      , <bdi>{askedBy(r.trigger, r.requester)}</bdi>. Began <When at={r.started_at} />
      {r.finished_at && `, took ${lasted(r.started_at, r.finished_at)}`}.
    </>
  )
}

function Notices(props: { of: Run }) {
  const { of: r } = props
  return (
    <div className="stack notices">
      {r.undone_by && (
        <Banner
          variant="info"
          title="This run was undone"
          description={
            <>
              <Link to={`/runs/${r.undone_by}`}>Run {r.undone_by}</Link> has taken it back.
            </>
          }
        />
      )}
      {r.error && (
        <Banner
          variant={stateOf(r) === 'cancelled' ? 'warning' : 'critical'}
          title={stateOf(r) === 'cancelled' ? 'It was cancelled' : 'It did not go through'}
          description={<bdi className="wrap">{sentence(r.error)}</bdi>}
        />
      )}
      {r.unread.length > 0 && (
        <Banner
          variant="warning"
          title="Not every source could be read"
          description={
            <ul className="plain">
              {r.unread.map((u) => (
                <li key={u}>
                  <bdi className="wrap">{u}</bdi>
                </li>
              ))}
              <li>Nobody joined or left a team for them.</li>
            </ul>
          }
        />
      )}
      {r.summary.objected > 0 && r.finished_at && (
        <Banner
          variant="warning"
          title={`${count(r.summary.objected, 'change')} ${r.summary.objected === 1 ? 'waits' : 'wait'} until somebody approves`}
          description={
            r.planned ? (
              <Link to={`/organizations/${encodeURIComponent(r.target ?? '')}/plan`}>See the plan</Link>
            ) : (
              <>
                A newer plan of the organization says whether they still do.{' '}
                <Link to={`/organizations/${encodeURIComponent(r.target ?? '')}/plan`}>See it</Link>
              </>
            )
          }
        />
      )}
    </div>
  )
}

const phases: Record<string, string> = {
  'reading sources': 'Reading the sources',
  'reading teams': 'Reading the organization',
  writing: 'Writing',
}

/** Following is a run that is under way. */
function Following(props: { of: Run; live: Live }) {
  const { of: r, live } = props
  const p: Progress = live.progress ?? r.progress
  const settled = p.done + p.failed
  const share = p.planned > 0 ? Math.min(100, Math.round((100 * settled) / p.planned)) : 0
  return (
    <Section title="Progress">
      <div className="box panel stack">
        <div className="inline" role="status">
          {live.link === 'reconnecting' ? (
            <>
              <Spinner size="small" srText={null} />
              <strong>Reconnecting…</strong>
              <span className="muted">
                {live.problem ? wordsOf(live.problem) : 'The server cannot be reached.'} The run goes on, or is gone on
                with.
              </span>
            </>
          ) : live.link === 'refused' ? (
            <>
              <StopIcon />
              <strong>Not followed any more</strong>
              <span className="muted">{wordsOf(live.problem)} The run goes on.</span>
            </>
          ) : (
            <>
              <Spinner size="small" srText={null} />
              <strong>
                {r.cancelled_by ? 'Ending after the write in hand' : (phases[p.phase ?? ''] ?? 'Under way')}
              </strong>
              {p.planned > 0 && (
                <span>
                  {settled.toLocaleString()} of {count(p.planned, 'write')}
                  {p.failed > 0 && `, ${p.failed.toLocaleString()} failed`}
                </span>
              )}
            </>
          )}
        </div>
        {p.planned > 0 && <ProgressBar progress={share} aria-label={`${share} % of the writes`} />}
        {p.waits_for && (
          <p className="small">
            Waits for <bdi>{p.waits_for}</bdi>
            {p.waits_until && (
              <>
                , until <Moment at={p.waits_until} />
              </>
            )}
            .
          </p>
        )}
        {p.ends_at && !p.waits_for && <Ends at={p.ends_at} />}
      </div>
      <h3 className="passes-title">As it happens</h3>
      <div role="log" aria-label="Writes as they happen">
        <ul className="box">
          {live.lines.length === 0 && <li className="row muted">Nothing was written yet.</li>}
          {live.lines.map((l) => (
            <li key={l.id} className={`row change ${acts[l.act]?.kind ?? 'update'}`}>
              <Sign act={l.act} />
              <span className="change-words">
                <span className="inline">
                  {l.act === 'create' ? <span>the team</span> : <bdi className="strong">{l.account.login}</bdi>}
                  <bdi className="muted">{l.team}</bdi>
                  <Result of={l.result} />
                </span>
                {l.error && (
                  <span className="small wrap">
                    <bdi>{l.error}</bdi>
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Section>
  )
}

/** Ends is the estimate of when a run ends. */
function Ends(props: { at: string }) {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000)
    return () => window.clearInterval(timer)
  }, [])
  const left = (new Date(props.at).getTime() - now) / 1000
  return (
    <p className="small muted">
      {left > 1 ? `About ${duration(left)} left, as it goes now.` : 'It should end at any moment.'}
    </p>
  )
}

/** Outcome is what came of a run, by the page. */
function Outcome(props: { of: Run }) {
  const { of: r } = props
  const [filter, set] = useFilter()
  const [q, result, cursor] = [filter('q'), filter('result'), filter('cursor')]
  const list = useQuery({
    queryKey: ['run', r.id, 'writes', q, result, cursor],
    enabled: r.writes > 0,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/runs/{run}/writes', {
          params: {
            path: { run: r.id },
            query: {
              q: q || undefined,
              result: (result || undefined) as 'done' | undefined,
              cursor: cursor || undefined,
            },
          },
          signal,
        }),
      ),
  })
  if (r.writes === 0) {
    return (
      <Section title="Writes">
        <None title="Nothing was written">
          {r.state === 'off'
            ? 'Plans of this organization are only shown.'
            : r.state === 'failed'
              ? 'It ended before the first write.'
              : 'There was nothing to change that no guard stops.'}
        </None>
      </Section>
    )
  }
  return (
    <Section title="Writes" count={r.writes}>
      <ul className="facts small">
        {r.results.map((s) => (
          <li key={s.result}>
            <Result of={s.result} /> {s.writes.toLocaleString()}
          </li>
        ))}
      </ul>
      <div className="filter filter-records">
        <Search label="Find a login or a team" value={q} onChange={(v) => set({ q: v })} />
        <Select aria-label="Result" value={result} onChange={(e) => set({ result: e.target.value })}>
          <Select.Option value="">All results</Select.Option>
          {r.results.map((s) => (
            <Select.Option key={s.result} value={s.result}>
              {resultWords(s.result)}
            </Select.Option>
          ))}
        </Select>
      </div>
      <Shown of={list}>
        {(l) =>
          l.writes.length === 0 ? (
            <None
              title="No write fits"
              act={<Button onClick={() => set({ q: '', result: '' })}>Show all writes</Button>}
            >
              The run has written, and nothing of it fits this filter.
            </None>
          ) : (
            <>
              <ul className="box">
                {l.writes.map((w) => (
                  <li
                    key={`${w.intent} ${w.act} ${w.account.id}`}
                    className={`row change ${acts[w.act]?.kind ?? 'update'}`}
                  >
                    <Sign act={w.act} />
                    <div className="change-words">
                      <span className="inline">
                        {w.act === 'create' ? <span>the team</span> : <bdi className="strong">{w.account.login}</bdi>}
                        <Link
                          className="muted"
                          to={`/organizations/${encodeURIComponent(r.target ?? '')}/teams/${encodeURIComponent(w.team)}`}
                        >
                          <bdi>{w.team}</bdi>
                        </Link>
                        {w.act === 'update' && (
                          <span>
                            {w.from} → {w.role}
                          </span>
                        )}
                        <Result of={w.result || 'open'} />
                        {w.waiver && <Label>waiver {w.waiver}</Label>}
                      </span>
                      {w.said && (
                        <span className="small muted wrap">
                          <bdi>{w.said}</bdi>
                        </span>
                      )}
                      {w.error && (
                        <span className="small wrap">
                          <bdi>{sentence(w.error)}</bdi>
                        </span>
                      )}
                    </div>
                  </li>
                ))}
              </ul>
              <Pager cursor={cursor} next={l.next} go={(c) => set({ cursor: c })} />
            </>
          )
        }
      </Shown>
    </Section>
  )
}

/** Facts are what else there is to know of a run. */
function Facts(props: { of: Run }) {
  const { of: r } = props
  return (
    <Section title="About this run">
      <dl className="box about">
        <dt>Set off</dt>
        <dd>
          <bdi>{askedBy(r.trigger, r.requester)}</bdi>
          {r.wishes.length > 0 && (
            <ul className="plain small">
              {r.wishes.map((w, i) => (
                <li key={i} className="wrap">
                  <bdi>{askedBy(w.trigger, w.asker)}</bdi>
                  {w.why && (
                    <>
                      : <bdi>{w.why}</bdi>
                    </>
                  )}{' '}
                  <span className="muted">
                    <When at={w.at} />
                  </span>
                </li>
              ))}
            </ul>
          )}
        </dd>
        <dt>Began</dt>
        <dd>
          <Moment at={r.started_at} />
        </dd>
        {r.finished_at && (
          <>
            <dt>Ended</dt>
            <dd>
              <Moment at={r.finished_at} />, after {lasted(r.started_at, r.finished_at)}
            </dd>
          </>
        )}
        {r.cancelled_by && (
          <>
            <dt>Cancelled by</dt>
            <dd>
              <bdi>{r.cancelled_by}</bdi>
            </dd>
          </>
        )}
        {r.finished_at && (
          <>
            <dt>Planned last</dt>
            <dd>
              {count(r.summary.add, 'addition')}, {count(r.summary.remove, 'removal')},{' '}
              {count(r.summary.update, 'change')} of role
              {r.summary.held > 0 && `; ${r.summary.held.toLocaleString()} held`}
            </dd>
          </>
        )}
        {r.calls > 0 && (
          <>
            <dt>Calls to the target</dt>
            <dd>
              {r.calls.toLocaleString()}
              {r.cost > 0 && (
                <span className="muted">
                  , which cost {count(r.cost, 'point')} of what its rate limit allows
                  {!r.finished_at && ', so far'}
                </span>
              )}
            </dd>
          </>
        )}
        {r.credential && (
          <>
            <dt>Acted under</dt>
            <dd>
              <bdi>{r.credential}</bdi>
            </dd>
          </>
        )}
      </dl>
    </Section>
  )
}
