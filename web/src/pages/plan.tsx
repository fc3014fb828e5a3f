import { DiffIcon, PlayIcon, SyncIcon } from '@primer/octicons-react'
import { Banner, Button, Select, Spinner, UnderlineNav } from '@primer/react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { answer, api, Problem } from '../api/client'
import { Confirm } from '../parts/confirm'
import { Outcome } from '../parts/outcome'
import { Page, Section } from '../parts/page'
import { Pager, Search, useFilter } from '../parts/search'
import { Failed, None, Shown, Waiting, wordsOf } from '../parts/shown'
import { Moment, When } from '../parts/when'
import { may, useMe } from '../shell/me'
import { type Approval, Approve } from './plan/approve'
import { moved, type Of, planAnew, planKey, type ShownPlan, useChanges, usePlan } from './plan/asked'
import { Teams } from './plan/changes'
import { Figures, inShort } from './plan/figures'
import { runOf } from './plan/follow'
import { count } from '../parts/count'
import { Objections } from './plan/objections'
import { Held, Leaving, RefusedMappings } from './plan/parts'

/** Plan is what a sync of an organization would change, what guards stop of it, and the way to let it pass. */
export default function Plan() {
  const target = useParams().target ?? ''
  return <PlanOf key={target} of={{ target }} />
}

function PlanOf(props: { of: Of }) {
  const { of } = props
  const queries = useQueryClient()
  const me = useMe()
  const go = useNavigate()
  const plan = usePlan(of)
  const [seen, setSeen] = useState('') // the digest of the plan that is being read
  const [news, setNews] = useState<ReactNode>()
  const [dialog, setDialog] = useState<{ approve?: { guard?: string }; apply?: boolean }>({})
  const [made, setMade] = useState<Approval>()
  const now = plan.data?.digest ?? ''
  if (now && !seen) setSeen(now)
  const operates = may(me.data, 'owner', of.target)
  const whyNot = operates ? undefined : 'your role only lets you look'

  const again = useMutation({
    mutationFn: () => planAnew(of),
    onSuccess: (p) => {
      queries.setQueryData(planKey(of), p)
      setSeen(p.digest)
    },
  })
  const planAgain = () => {
    setNews(undefined)
    setMade(undefined)
    again.mutate()
  }
  const sync = useMutation({
    mutationFn: async () => {
      const asked = await answer(
        api.POST('/api/musterline/targets/{target}/sync', { params: { path: { target: of.target } }, body: {} }),
      )
      return runOf(asked)
    },
    onSuccess: (run) => go(`/runs/${run}`),
  })
  const apply = async (digest: string) => {
    const asked = await answer(
      api.POST('/api/musterline/targets/{target}/sync', {
        params: { path: { target: of.target } },
        body: { digest, answered: true },
      }),
    )
    try {
      void go(`/runs/${await runOf(asked)}`)
    } catch (e) {
      if (!moved(e)) throw e
      await again.mutateAsync()
      setNews('Nothing was changed. What is below is the new plan: look at it before you apply it.')
    }
  }
  const none = plan.error instanceof Problem && plan.error.kind === 'nothing' && !plan.data
  const p = plan.data
  return (
    <Page
      title={`Plan of ${p?.organization || of.target}`}
      crumbs={[
        { to: '/plans', text: 'Plans' },
        { to: `/organizations/${encodeURIComponent(of.target)}/plan`, text: of.target },
      ]}
      lead={p && <Made of={p} />}
      acts={
        <>
          <Button leadingVisual={DiffIcon} onClick={planAgain} loading={again.isPending}>
            Plan again
          </Button>
          {p && canApply(p) && (
            <Button
              variant="primary"
              leadingVisual={PlayIcon}
              disabled={!operates || !!p.paused || !!p.open || again.isPending}
              onClick={() => setDialog({ apply: true })}
            >
              Apply this plan…
            </Button>
          )}
          {p && !canApply(p) && (
            <Button
              leadingVisual={SyncIcon}
              disabled={!operates || !!p.paused}
              loading={sync.isPending}
              onClick={() => sync.mutate()}
            >
              Sync now
            </Button>
          )}
        </>
      }
    >
      <Outcome of={made}>
        {made && (
          <Banner
            variant="success"
            title={`${count(made.changes, 'change')} approved`}
            description={
              <>
                Waiver {made.waiver}, good until {made.until && <Moment at={made.until} />} and for nothing else. A sync
                of these teams has been asked for with it.
              </>
            }
            primaryAction={
              <Banner.PrimaryAction onClick={() => sync.mutate()} disabled={sync.isPending || !!p?.paused}>
                Sync now
              </Banner.PrimaryAction>
            }
            onDismiss={() => setMade(undefined)}
          />
        )}
      </Outcome>
      <div className="stack notices">
        {again.isPending && <Planning />}
        {again.error && (
          <Banner variant="critical" title="It could not be planned" description={wordsOf(again.error)} />
        )}
        {sync.error && <Banner variant="critical" title="No sync was begun" description={wordsOf(sync.error)} />}
        {news && (
          <Banner
            variant="warning"
            title="The plan has moved since you saw it"
            description={news}
            onDismiss={() => setNews(undefined)}
          />
        )}
        {p && seen && now !== seen && !news && (
          <Banner
            variant="warning"
            title="There is a newer plan than the one you were reading"
            description="What is below is the new one."
            onDismiss={() => setSeen(now)}
          />
        )}
        {p?.paused && (
          <Banner
            variant="warning"
            title="The organization is paused"
            description={
              <>
                <bdi>{p.paused.by}</bdi> stopped it <When at={p.paused.at} />: <bdi>{p.paused.reason}</bdi>. Nothing is
                changed until somebody resumes it.
              </>
            }
          />
        )}
        {p?.open && (
          <Banner
            variant="info"
            title={`Run ${p.open} is under way`}
            description={<Link to={`/runs/${p.open}`}>Follow it</Link>}
          />
        )}
        {p?.apply === 'off' && (
          <Banner variant="info" title="Plans of this organization are only shown" description="apply is off for it." />
        )}
        {p && p.notes.length > 0 && (
          <Banner
            variant={p.unread ? 'warning' : 'info'}
            title={p.unread ? 'Not everything could be read' : 'To be known beside the plan'}
            description={
              <ul className="plain">
                {p.notes.map((n) => (
                  <li key={n}>
                    <bdi>{n}</bdi>
                  </li>
                ))}
              </ul>
            }
          />
        )}
      </div>
      {none ? (
        <None
          icon={DiffIcon}
          title="No plan yet"
          act={
            <Button variant="primary" onClick={planAgain} loading={again.isPending}>
              Plan now
            </Button>
          }
        >
          No run of this organization has planned anything. To plan reads the sources and the organization, and changes
          nothing.
        </None>
      ) : (
        <Shown of={plan} waiting={<Waiting />}>
          {(shown) => (
            <Body
              of={of}
              plan={shown}
              whyNot={whyNot}
              approve={operates ? (guard) => setDialog({ approve: { guard } }) : undefined}
            />
          )}
        </Shown>
      )}
      {p && dialog.approve && (
        <Approve of={of} plan={p} guard={dialog.approve.guard} close={() => setDialog({})} done={setMade} />
      )}
      {p && dialog.apply && (
        <Confirm title="Apply exactly this plan?" act="Apply" does={() => apply(p.digest)} close={() => setDialog({})}>
          <p>
            {count(p.ready, 'change')} will be made in <bdi>{p.organization || of.target}</bdi>, and nothing else
            {p.summary.objected > p.ready - p.free
              ? `; ${count(p.summary.objected - (p.ready - p.free), 'change')} that guards stop are left alone`
              : ''}
            .
          </p>
          <p className="muted small">
            If anything has moved since the plan was made, nothing is changed and you see the new plan.
          </p>
        </Confirm>
      )}
    </Page>
  )
}

/** canApply reports whether there is something in a plan that can be applied as it is: its own run has made nothing of it yet. */
function canApply(p: ShownPlan): boolean {
  return p.ready > 0 && p.written === 0 && p.failed === 0 && p.apply !== 'off'
}

/** Made says when a plan was made, and by what. */
function Made(props: { of: ShownPlan }) {
  const { of: p } = props
  return (
    <>
      {p.run ? (
        <>
          Made by <Link to={`/runs/${p.run.id}`}>run {p.run.id}</Link> <When at={p.at} />
          {p.written > 0 && `, which has made ${count(p.written, 'change')} of it`}
          {p.failed > 0 && ` and failed at ${p.failed.toLocaleString()}`}
        </>
      ) : (
        <>
          Made <When at={p.at} />
          {p.by && (
            <>
              {' '}
              for <bdi>{p.by}</bdi>
            </>
          )}
        </>
      )}
      . {capital(inShort(p))}.
    </>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** Planning is shown while everything is read. */
export function Planning() {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    const timer = window.setInterval(() => setSeconds((s) => s + 1), 1000)
    return () => window.clearInterval(timer)
  }, [])
  return (
    <div className="box panel inline" role="status">
      <Spinner size="small" srText={null} />
      <span>
        Reading the sources and the organization, then planning. This changes nothing.
        {seconds > 2 && <span className="muted"> {seconds} s</span>}
      </span>
    </div>
  )
}

/** Body is a plan: figures, objections, and its parts by the page. */
export function Body(props: { of: Of; plan: ShownPlan; whyNot?: string; approve?: (guard?: string) => void }) {
  const { of, plan: p, approve } = props
  const [filter, set] = useFilter()
  const part = filter('part') || 'changes'
  const stops = p.guards.filter((g) => g.changes > 0)
  const warns = p.guards.filter((g) => g.changes === 0)
  const list = useRef<HTMLDivElement>(null)
  const parts = [
    { name: 'changes', text: 'Changes', n: p.summary.add + p.summary.remove + p.summary.update },
    { name: 'held', text: 'Held', n: p.summary.held },
    { name: 'refused', text: 'Refused', n: p.refused },
    { name: 'leaving', text: 'Leaving in grace', n: p.leaving },
  ].filter((x) => !p.undoes || x.name === 'changes') // who is undone is neither held nor in grace
  const look = (guard: string) => {
    set({ part: '', guard, act: '', q: '', reason: '' })
    list.current?.scrollIntoView({ block: 'start' })
    list.current?.focus({ preventScroll: true })
  }
  return (
    <>
      <Figures of={p} />
      {stops.length > 0 && (
        <Section
          title="Objections"
          count={stops.length}
          acts={
            approve ? (
              <Button size="small" variant="primary" onClick={() => approve()}>
                Approve…
              </Button>
            ) : (
              <span className="small muted">Owners of the organization can approve.</span>
            )
          }
        >
          <Objections guards={stops} approve={approve} whyNot={props.whyNot} look={look} />
        </Section>
      )}
      {warns.length > 0 && (
        <Section title="Warnings" count={warns.length}>
          <Objections guards={warns} look={look} />
        </Section>
      )}
      <div ref={list} tabIndex={-1} className="parts">
        <UnderlineNav aria-label="Parts of the plan">
          {parts.map((x) => (
            <UnderlineNav.Item
              key={x.name}
              as={Link}
              to={{ search: x.name === 'changes' ? '' : `?part=${x.name}` }}
              aria-current={part === x.name ? 'page' : undefined}
              counter={x.n.toLocaleString()}
            >
              {x.text}
            </UnderlineNav.Item>
          ))}
        </UnderlineNav>
      </div>
      {part === 'held' ? (
        <Held of={of} plan={p} />
      ) : part === 'refused' ? (
        <RefusedMappings of={of} plan={p} />
      ) : part === 'leaving' ? (
        <Leaving of={of} plan={p} />
      ) : (
        <Changes of={of} plan={p} />
      )}
    </>
  )
}

function Changes(props: { of: Of; plan: ShownPlan }) {
  const { of, plan: p } = props
  const queries = useQueryClient()
  const [filter, set] = useFilter()
  const [q, guard, act, cursor] = [filter('q'), filter('guard'), filter('act'), filter('cursor')]
  const list = useChanges(of, p.digest, { q, act, guards: guard ? [guard] : undefined }, cursor)
  const overtaken = list.error instanceof Problem && list.error.kind === 'stale'
  useEffect(() => {
    // Another plan was made while this one was read: show that, and its first page.
    if (!overtaken) return
    set({ cursor: '' })
    void queries.invalidateQueries({ queryKey: planKey(of), exact: true })
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [overtaken])
  const any = p.summary.add + p.summary.remove + p.summary.update + (p.summary.create ?? 0) > 0
  if (!any) {
    return (
      <None icon={DiffIcon} title="Nothing to change">
        {p.undoes
          ? 'Nothing of the run is left to undo.'
          : p.mapped === 0
            ? 'No team is mapped yet. Open a team and say which groups belong in it.'
            : p.unread
              ? 'As far as the sources could be read, the mapped teams are as their groups say.'
              : 'The mapped teams are as their groups say.'}
      </None>
    )
  }
  return (
    <>
      <div className="filter filter-records">
        <Search label="Find a team" value={q} onChange={(v) => set({ q: v })} />
        <Select aria-label="Guard" value={guard} onChange={(e) => set({ guard: e.target.value })}>
          <Select.Option value="">All guards</Select.Option>
          {p.guards
            .filter((g) => g.changes > 0 || g.guard === guard)
            .map((g) => (
              <Select.Option key={g.guard} value={g.guard}>
                stopped by {g.guard}
              </Select.Option>
            ))}
        </Select>
        <Select aria-label="Act" value={act} onChange={(e) => set({ act: e.target.value })}>
          <Select.Option value="">All changes</Select.Option>
          <Select.Option value="add">Additions</Select.Option>
          <Select.Option value="remove">Removals</Select.Option>
          <Select.Option value="update">Changes of role</Select.Option>
          <Select.Option value="create">New teams without members</Select.Option>
        </Select>
      </div>
      {overtaken ? (
        <Waiting />
      ) : list.error && !list.data ? (
        <Failed error={list.error} again={() => void list.refetch()} />
      ) : (
        <Shown of={list}>
          {(l) =>
            l.teams.length === 0 ? (
              <None
                title="No change fits"
                act={<Button onClick={() => set({ q: '', guard: '', act: '' })}>Show all changes</Button>}
              >
                The plan has changes, and none that fits this filter.
              </None>
            ) : (
              <>
                <p className="small muted" role="status">
                  {count(l.total, 'change')}
                  {(q || guard || act) && ' that fit'}
                </p>
                <Teams target={of.target} teams={l.teams} />
                <Pager cursor={cursor} next={l.next} go={(c) => set({ cursor: c })} />
              </>
            )
          }
        </Shown>
      )}
    </>
  )
}
