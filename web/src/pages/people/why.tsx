import { Label, Timeline } from '@primer/react'
import {
  CheckCircleIcon,
  CircleSlashIcon,
  ClockIcon,
  GitMergeIcon,
  HistoryIcon,
  LinkIcon,
  OrganizationIcon,
  QuestionIcon,
} from '@primer/octicons-react'
import { useQuery } from '@tanstack/react-query'
import type { ComponentType, ReactNode } from 'react'
import { Link } from 'react-router'
import { answer, api, type components } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { useFilter } from '../../parts/search'
import { None, sentence, Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { linkStates, Path, pathOf, tiers, Verdict } from './words'
import { WhyBox } from './why-box'
import './people.css'

type Answer = components['schemas']['Answer']

/** Why answers from stored evidence why somebody is in a team, or why not. */
export default function Why() {
  const [filter] = useFilter()
  const [user, team] = [filter('user'), filter('team')]
  const why = useQuery({
    queryKey: ['why', user, team],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/why', { params: { query: { user, team } }, signal })),
    enabled: !!user && !!team,
  })
  return (
    <Page
      title="Why is somebody in a team?"
      lead="The answer comes from what was stored: nobody else is asked."
      crumbs={[{ to: '/people', text: 'People' }]}
    >
      <WhyBox key={`${user}\n${team}`} user={user} team={team} />
      {user && team ? (
        <Shown of={why}>{(a) => <Chain of={a} />}</Shown>
      ) : (
        <None icon={QuestionIcon} title="Ask about a person and a team">
          A login, an account’s number or source/id; and a team’s name.
        </None>
      )}
    </Page>
  )
}

const icons: Record<string, ComponentType> = {
  in: CheckCircleIcon,
  out: CircleSlashIcon,
  waits: ClockIcon,
  held: ClockIcon,
}

function Chain(props: { of: Answer }) {
  const a = props.of
  const Icon = icons[a.verdict] ?? QuestionIcon
  const reached = a.mappings.filter((m) => (m.path ?? []).length > 0)
  const others = a.mappings.filter((m) => (m.path ?? []).length === 0)
  return (
    <>
      <div className="box verdict" role="status">
        <div className="row">
          <span className="inline">
            <Icon /> <Verdict of={a.verdict} />
          </span>
          <p className="verdict-says">{a.summary}.</p>
          <p className="small muted">
            {a.user && (
              <Link to={pathOf(a.user)}>
                <bdi>{a.person || a.user}</bdi>
              </Link>
            )}
            {a.plan_at && (
              <>
                {' '}
                · the last plan was made <When at={a.plan_at} />
                {a.plan_run && (
                  <>
                    {' '}
                    by <Link to={`/runs/${a.plan_run}`}>run {a.plan_run}</Link>
                  </>
                )}
              </>
            )}
          </p>
        </div>
      </div>
      <Section title="How it comes about">
        <Timeline>
          {reached.map((m) => (
            <Step key={m.id} icon={OrganizationIcon} title="Groups">
              <Path of={m.path ?? []} />
              <Small>
                {a.status && `${a.status} at the identity provider`}
                {m.read_at && (
                  <>
                    , read <When at={m.read_at} />
                  </>
                )}
                {m.failure && <>; it could not be read since: {m.failure}</>}
              </Small>
            </Step>
          ))}
          {reached.map((m) => (
            <Step key={`m${m.id}`} icon={GitMergeIcon} title="Mapping">
              <bdi>{m.group}</bdi> belongs in{' '}
              <bdi>
                {a.target}/{a.team.name}
              </bdi>{' '}
              as {m.role}
              <Small>
                <span className="mono">{m.id}</span>
                {m.mode && `, ${m.mode}`}
              </Small>
            </Step>
          ))}
          {reached.length === 0 && (
            <Step icon={OrganizationIcon} title="Groups">
              {a.mappings.length === 0
                ? 'No group is mapped to the team.'
                : 'In none of the groups that are mapped to the team.'}
            </Step>
          )}
          {a.link ? (
            <Step icon={LinkIcon} title="Link">
              {a.user} is <bdi>{a.link.login || `account ${a.link.account}`}</bdi>: {tiers[a.link.tier] ?? a.link.tier}{' '}
              <Label variant={linkStates[a.link.state]?.variant ?? 'default'}>
                {linkStates[a.link.state]?.text ?? a.link.state}
              </Label>
              <Small>
                {a.link.evidence && <span className="mono wrap">{a.link.evidence}</span>}
                {a.link.since && (
                  <>
                    , since <When at={a.link.since} />
                  </>
                )}
                {a.link.by && `, by ${a.link.by}`}
                {a.link.trouble && <>. {sentence(a.link.trouble)}</>}
              </Small>
            </Step>
          ) : (
            <Step icon={LinkIcon} title="Link">
              {a.user ? 'No account is known to be theirs.' : 'No user is linked to the account.'}
            </Step>
          )}
          {a.held && (
            <Step icon={ClockIcon} title={`Held: ${a.held.reason}`}>
              {sentence(a.held.message)}
            </Step>
          )}
          {(a.refused ?? []).map((r) => (
            <Step key={r} icon={CircleSlashIcon} title="Refused">
              {sentence(r)}
            </Step>
          ))}
          {a.pending && (
            <Step icon={ClockIcon} title="The last plan">
              {a.pending.act}
              {a.pending.why && ` (${a.pending.why})`}
              {(a.pending.objections ?? []).map((o) => (
                <Small key={o}>{sentence(o)}</Small>
              ))}
            </Step>
          )}
          {a.ledger && (
            <Step icon={CheckCircleIcon} title="Membership">
              {a.ledger.origin === 'granted'
                ? 'Given by Musterline'
                : 'Was there already, and a mapped group justifies it'}
              , as {a.ledger.role}, since <When at={a.ledger.since} />
              <Small>
                <Link to={auditOf(a)}>Audit entry {a.ledger.entry}</Link>
              </Small>
            </Step>
          )}
          {a.leaves_at && (
            <Step icon={ClockIcon} title="Ends">
              The membership ends <When at={a.leaves_at} />.
            </Step>
          )}
          {a.history.map((e) => (
            <Step key={e.entry} icon={HistoryIcon} title={`${acts[e.act] ?? e.act}: ${results[e.result] ?? e.result}`}>
              <When at={e.at} /> by <Link to={`/runs/${e.run}`}>run {e.run}</Link>
              {e.requester && (
                <>
                  , asked for by <bdi>{e.requester}</bdi>
                </>
              )}
              {e.why && <Small>{e.why}</Small>}
              {e.error && <Small>{sentence(e.error)}</Small>}
              {e.waived_by && (
                <Small>
                  {(e.waived ?? []).join(', ')} objected, and {e.waived_by} approved it: {e.waived_why}
                </Small>
              )}
              <Small>
                <Link to={auditOf(a)}>Audit entry {e.entry}</Link>
              </Small>
            </Step>
          ))}
        </Timeline>
      </Section>
      {others.length > 0 && (
        <Section title="Mapped groups that do not reach this person" count={others.length}>
          <div className="box">
            <ul>
              {others.map((m) => (
                <li key={m.id} className="row">
                  <bdi>{m.group}</bdi> <span className="small muted mono">{m.id}</span>
                  <div className="small muted">
                    {m.missing
                      ? 'The source lists no such group.'
                      : 'The person is not in it, nor in a group within it.'}{' '}
                    {m.read_at ? (
                      <>
                        Read <When at={m.read_at} />.
                      </>
                    ) : (
                      'It was not read yet.'
                    )}
                  </div>
                </li>
              ))}
            </ul>
          </div>
        </Section>
      )}
    </>
  )
}

/** auditOf leads to what the audit record has of the account in the team. */
function auditOf(a: Answer): string {
  const q = new URLSearchParams({ target: a.target })
  if (a.team.id) q.set('team', a.team.id)
  if (a.account.id) q.set('account', a.account.id)
  return `/audit?${q.toString()}`
}

const acts: Record<string, string> = {
  add: 'Added',
  remove: 'Removed',
  update: 'Role changed',
  cancel: 'Invitation cancelled',
}
const results: Record<string, string> = {
  done: 'done',
  already: 'was so already',
  seen: 'seen by a later run',
  failed: 'failed',
  skipped: 'left out',
  unknown: 'not known',
}

function Step(props: { icon: ComponentType; title: string; children: ReactNode }) {
  return (
    <Timeline.Item>
      <Timeline.Badge>
        <props.icon />
      </Timeline.Badge>
      <Timeline.Body>
        <h3 className="step-title">{props.title}</h3>
        <div className="step-says wrap">{props.children}</div>
      </Timeline.Body>
    </Timeline.Item>
  )
}

function Small(props: { children: ReactNode }) {
  return <div className="small muted">{props.children}</div>
}
