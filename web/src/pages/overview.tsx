import {
  AlertIcon,
  BellSlashIcon,
  CheckCircleFillIcon,
  CircleSlashIcon,
  ClockIcon,
  EyeIcon,
  InfoIcon,
  OrganizationIcon,
  PauseIcon,
  PlugIcon,
  ShieldIcon,
  SyncIcon,
  XCircleFillIcon,
} from '@primer/octicons-react'
import { Button, Label, type LabelProps, LinkButton } from '@primer/react'
import { useQuery } from '@tanstack/react-query'
import type { ComponentType, ReactNode } from 'react'
import { Link } from 'react-router'
import { answer, api, type components } from '../api/client'
import { Days } from '../parts/days'
import { Page, Section } from '../parts/page'
import { sentence, Shown } from '../parts/shown'
import { When } from '../parts/when'

type Answer = components['schemas']['Overview']
type Target = components['schemas']['TargetOverview']
type Source = components['schemas']['SourceOverview']
type Need = components['schemas']['Need']

/** Overview is where somebody looks first: am I needed, is it in sync, what has changed. */
export default function Overview() {
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/overview', { signal })),
    refetchInterval: (q) => (q.state.data?.targets.some((t) => t.running) ? 3_000 : 60_000),
  })
  return (
    <Page
      title="Overview"
      lead={
        overview.data && (
          <>
            As of <When at={overview.data.at} />
          </>
        )
      }
      acts={
        <Button
          leadingVisual={SyncIcon}
          loading={overview.isFetching && !overview.isPending}
          onClick={() => void overview.refetch()}
        >
          Refresh
        </Button>
      }
    >
      <Shown of={overview}>
        {(o) => (o.needs.some((n) => n.kind === 'connect') ? <First of={o} /> : <All of={o} />)}
      </Shown>
    </Page>
  )
}

function All(props: { of: Answer }) {
  const o = props.of
  return (
    <>
      <Section title="Needs you" count={o.needs.length}>
        {o.needs.length === 0 ? (
          <div className="box">
            <p className="row flat inline">
              <span className="good">
                <CheckCircleFillIcon />
              </span>
              Nothing waits for a person.
            </p>
          </div>
        ) : (
          <ul className="box plain">
            {o.needs.map((n, i) => (
              <NeedRow key={i} of={n} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="Organizations" count={o.targets.length}>
        <ul className="box plain">
          {o.targets.map((t) => (
            <TargetRow key={t.name} of={t} />
          ))}
        </ul>
      </Section>
      <Section title="Changes in the last 30 days">
        <Days days={o.days} />
      </Section>
      <Section title="Sources" count={o.sources.length}>
        <Sources of={o.sources} />
      </Section>
    </>
  )
}

const needIcons: Record<string, ComponentType> = {
  failed: XCircleFillIcon,
  source: AlertIcon,
  objected: ShieldIcon,
  late: ClockIcon,
  paused: PauseIcon,
  off: CircleSlashIcon,
  notification: BellSlashIcon,
}

function NeedRow(props: { of: Need }) {
  const n = props.of
  const about = n.target ?? n.source ?? n.told
  const Icon = needIcons[n.kind] ?? InfoIcon
  const [to, act] = wayOf(n)
  return (
    <li className="row line">
      <span className={n.urgent ? 'bad' : 'muted'} role="img" aria-label={n.urgent ? 'Urgent' : 'For information'}>
        <Icon />
      </span>
      <span className="grow">
        <span className="inline">
          {about && (
            <strong>
              <bdi>{about}</bdi>
            </strong>
          )}
          <span>{sentence(n.text)}</span>
        </span>
        {n.more && (
          <span className="small muted wrap block">
            <bdi>{sentence(n.more)}</bdi>
          </span>
        )}
      </span>
      <LinkButton as={Link} to={to} size="small" aria-label={`${act}${about ? `: ${about}` : ''}`}>
        {act}
      </LinkButton>
    </li>
  )
}

/** wayOf is where the need is met, and what that is called. */
function wayOf(n: Need): [string, string] {
  const at = encodeURIComponent(n.target ?? n.source ?? '')
  switch (n.kind) {
    case 'objected':
      return [`/organizations/${at}/plan`, 'Review the plan']
    case 'refused':
      return [`/organizations/${at}/teams?filter=refused`, 'See the teams']
    case 'held':
      return [`/people?target=${at}`, 'See the people']
    case 'source':
      return [`/connections/sources/${at}`, 'Open the source']
    case 'failed':
      return n.run
        ? [`/runs/${encodeURIComponent(n.run)}`, 'Open the run']
        : [`/connections/targets/${at}`, 'Open the connection']
    case 'late':
      return [`/runs?target=${at}`, 'See the runs']
    case 'paused':
    case 'off':
      return [`/connections/targets/${at}`, 'Open the connection']
    case 'notification':
      return ['/settings/notifications', 'See the messages']
  }
  return ['/connections', 'Open connections']
}

const targetStates: Record<string, { text: string; variant: LabelProps['variant']; icon: ComponentType }> = {
  in_sync: { text: 'In sync', variant: 'success', icon: CheckCircleFillIcon },
  waits: { text: 'Waits for approval', variant: 'attention', icon: ShieldIcon },
  failed: { text: 'Failed', variant: 'danger', icon: XCircleFillIcon },
  late: { text: 'Overdue', variant: 'danger', icon: ClockIcon },
  paused: { text: 'Paused', variant: 'attention', icon: PauseIcon },
  off: { text: 'Turned off', variant: 'secondary', icon: CircleSlashIcon },
  shown: { text: 'Only shown', variant: 'secondary', icon: EyeIcon },
  never: { text: 'Not synced yet', variant: 'secondary', icon: ClockIcon },
  running: { text: 'First sync', variant: 'accent', icon: SyncIcon },
}

function TargetRow(props: { of: Target }) {
  const t = props.of
  const s = targetStates[t.state] ?? { text: t.state, variant: 'secondary' as const, icon: InfoIcon }
  const at = encodeURIComponent(t.name)
  return (
    <li className="row">
      <div className="line-head">
        <span className="grow inline">
          <OrganizationIcon />
          <Link to={`/organizations/${at}/teams`} className="strong-link">
            <bdi>{t.name}</bdi>
          </Link>
          {t.organization && (
            <span className="small muted wrap">
              <bdi>{t.organization}</bdi>
            </span>
          )}
        </span>
        <Label variant={s.variant}>
          <span className="inline tight">
            <s.icon /> {s.text}
          </span>
        </Label>
        {t.running && (
          <Link to={`/runs/${encodeURIComponent(t.running.id)}`} className="small inline">
            <SyncIcon /> A sync is under way
          </Link>
        )}
      </div>
      <p className="wrap says">{sentence(t.says)}</p>
      {t.paused && (
        <p className="wrap says small">
          By <bdi>{t.paused.by}</bdi> <When at={t.paused.at} />: <bdi>{t.paused.reason}</bdi>
        </p>
      )}
      {t.off && (
        <p className="wrap says small">
          By <bdi>{t.off.by || 'somebody'}</bdi> <When at={t.off.at} />.{' '}
          {t.off.members === 'remove' ? 'Members whom we brought go.' : 'Members stay.'}
        </p>
      )}
      <dl className="facts">
        <Fact of="Last sync">
          {t.run ? (
            <Link to={`/runs/${encodeURIComponent(t.run.id)}`}>
              <When at={t.run.finished_at ?? t.run.started_at} />
            </Link>
          ) : (
            'never'
          )}
        </Fact>
        <Fact of="Next sync">{t.next_at ? <When at={t.next_at} /> : <span className="muted">none</span>}</Fact>
        <Fact of="Mapped teams">
          <Link to={`/organizations/${at}/teams?filter=mapped`}>{t.mapped.toLocaleString()}</Link>
          {t.connected < t.mapped && <span className="muted"> ({t.connected.toLocaleString()} connected)</span>}
        </Fact>
        <Fact of="Held people">
          {t.held_people > 0 ? (
            <Link to={`/organizations/${at}/teams?filter=held`}>{t.held_people.toLocaleString()}</Link>
          ) : (
            '0'
          )}
        </Fact>
        <Fact of="Objections">
          {t.objected > 0 ? (
            <Link to={`/organizations/${at}/plan`}>
              {t.objected.toLocaleString()} {t.objected === 1 ? 'change' : 'changes'}
            </Link>
          ) : (
            '0'
          )}
        </Fact>
        {t.quota.map((q) => (
          <Fact key={q.resource} of={`Quota left (${q.resource})`}>
            <span title={`of ${q.limit.toLocaleString()}`}>
              {q.left.toLocaleString()} <span className="muted">of {q.limit.toLocaleString()}</span>
            </span>
            <meter
              className="quota"
              min={0}
              max={q.limit || 1}
              low={q.limit / 4}
              optimum={q.limit || 1}
              value={q.left}
              aria-label={`Quota left of ${q.resource}`}
            />
          </Fact>
        ))}
      </dl>
    </li>
  )
}

function Fact(props: { of: string; children: ReactNode }) {
  return (
    <div>
      <dt>{props.of}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}

function Sources(props: { of: Source[] }) {
  if (props.of.length === 0)
    return (
      <div className="box">
        <p className="row flat muted">No source is configured.</p>
      </div>
    )
  return (
    <ul className="box plain">
      {props.of.map((s) => (
        <li key={s.name} className="row line">
          <span className="grow">
            <span className="inline">
              <PlugIcon />
              <Link to={`/connections/sources/${encodeURIComponent(s.name)}`} className="strong-link">
                <bdi>{s.name}</bdi>
              </Link>
              <Label variant="secondary">{s.kind}</Label>
              {s.trouble && (
                <Label variant={s.trouble === 'unread' ? 'secondary' : 'danger'}>
                  {{ failing: 'Failing', stale: 'Stale', unread: 'Not read yet' }[s.trouble] ?? s.trouble}
                </Label>
              )}
            </span>
            {s.trouble && <span className="small wrap block">{sentence(s.says)}</span>}
          </span>
          <span className="small muted">
            {s.groups.toLocaleString()} groups, {s.users.toLocaleString()} people, read <When at={s.read_at} />
          </span>
        </li>
      ))}
    </ul>
  )
}

/** First leads somebody who has connected nothing yet. */
function First(props: { of: Answer }) {
  const steps: { title: string; text: string; done: boolean }[] = [
    {
      title: 'Connect an identity provider',
      text: 'Where people and groups come from: a directory, or a file.',
      done: props.of.sources.length > 0,
    },
    {
      title: 'Connect a GitHub organization',
      text: 'With a GitHub App or a token. What it has, lacks and should not have is shown before anything is saved.',
      done: props.of.targets.length > 0,
    },
    { title: 'Map a team', text: 'You see who would come and go before anything is changed.', done: false },
  ]
  return (
    <section className="first" aria-labelledby="first">
      <h2 id="first">Keep your teams in line with your identity provider</h2>
      <p className="muted">No organization is connected yet. Nothing is changed on GitHub until a team is mapped.</p>
      <ol className="box plain">
        {steps.map((s, i) => (
          <li key={s.title} className="row line">
            <span className={s.done ? 'good' : 'muted'} role="img" aria-label={s.done ? 'Done' : `Step ${i + 1}`}>
              {s.done ? <CheckCircleFillIcon /> : <span className="step">{i + 1}</span>}
            </span>
            <span className="grow">
              <strong>{s.title}</strong>
              <span className="small muted block">{s.text}</span>
            </span>
          </li>
        ))}
      </ol>
      <LinkButton as={Link} to="/connections" variant="primary">
        Open connections
      </LinkButton>
    </section>
  )
}
