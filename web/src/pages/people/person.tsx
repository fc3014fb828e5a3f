import { Banner, Button, Label } from '@primer/react'
import { OrganizationIcon, PeopleIcon } from '@primer/octicons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { answer, api } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { None, sentence, Shown } from '../../parts/shown'
import { Moment, When } from '../../parts/when'
import { may, useMe } from '../../shell/me'
import { LinkDialog, UnlinkDialog } from './link-dialog'
import { linkStates, Path, pathOf, type Someone, State, states, tiers, Verdict, whyPath } from './words'
import './people.css'

/** Person is a user of a source with everything that memory knows of them, or an account and its user. */
export default function Person() {
  const { source, id, host, account } = useParams()
  const user = source && id ? `${source}/${id}` : undefined
  const number = host && account ? `${host}/${account}` : undefined
  const person = useQuery({
    queryKey: ['person', user, number],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/person', { params: { query: { user, account: number } }, signal })),
  })
  const p = person.data
  const login = p?.accounts[0]?.login
  const title = p?.name || p?.username || p?.id || login || number || id || ''
  return (
    <Page
      title={title}
      crumbs={[{ to: p && !p.id ? '/people?view=accounts' : '/people', text: p && !p.id ? 'Accounts' : 'People' }]}
      labels={p?.id ? <State of={p.state} /> : p ? <Label variant="secondary">No user</Label> : undefined}
      lead={p?.id ? <Lead of={p} /> : p ? 'A member of the organization to whom no user is linked.' : undefined}
    >
      <Shown of={person}>{(one) => <Known of={one} />}</Shown>
    </Page>
  )
}

function Lead(props: { of: Someone }) {
  const p = props.of
  return (
    <>
      {p.email && (
        <>
          <bdi>{p.email}</bdi> ·{' '}
        </>
      )}
      <bdi>
        {p.source}/{p.id}
      </bdi>
      {p.status && ` · ${p.status} at the identity provider`}
      {p.read_at && (
        <>
          {' '}
          · read <When at={p.read_at} />
        </>
      )}
    </>
  )
}

function Known(props: { of: Someone }) {
  const p = props.of
  const me = useMe()
  const queries = useQueryClient()
  const [linking, setLinking] = useState(false)
  const [unlinking, setUnlinking] = useState('')
  const [said, setSaid] = useState('')
  const user = p.id ? `${p.source}/${p.id}` : ''
  const name = p.name || p.username || p.id
  const links = (p.hosts ?? []).every((h) => h.targets.every((t) => may(me.data, 'owner', t)))
  const done = async (text: string) => {
    setSaid(text)
    await queries.invalidateQueries({ queryKey: ['person'] })
    await queries.invalidateQueries({ queryKey: ['people'] })
  }
  return (
    <>
      <div role="status">
        {said && <Banner variant="success" title={said} onDismiss={() => setSaid('')} className="said" />}
      </div>
      {p.message && p.id && p.state !== 'linked' && (
        <Banner
          className="said"
          variant={p.state === 'conflict' || p.state === 'ambiguous' ? 'critical' : 'warning'}
          title={states[p.state]?.means ?? p.state}
          description={sentence(p.message)}
        />
      )}
      {p.gone && (
        <Banner
          className="said"
          variant="info"
          title="Not among the users of the mapped groups"
          description="They were linked once, and their source did not name them when it was last read."
        />
      )}
      {user && (
        <Section
          title="Account"
          acts={
            links && p.hosts.length > 0 ? (
              <Button size="small" onClick={() => setLinking(true)}>
                {p.links.length > 0 ? 'Link another account' : 'Link an account'}
              </Button>
            ) : undefined
          }
        >
          <Links of={p} unlink={links ? setUnlinking : undefined} />
        </Section>
      )}
      <Section title="Teams" count={p.teams.length}>
        <Teams of={p} />
      </Section>
      {user && (
        <Section title="Groups" count={p.groups.length}>
          <Groups of={p} />
        </Section>
      )}
      <Section title="History">
        <History of={p} />
      </Section>
      {linking && (
        <LinkDialog
          user={user}
          name={name}
          hosts={p.hosts}
          close={() => setLinking(false)}
          done={(login) => void done(`${name} is linked to ${login}. A sync is asked for.`)}
        />
      )}
      {unlinking && (
        <UnlinkDialog
          user={user}
          name={name}
          host={unlinking}
          close={() => setUnlinking('')}
          done={() => void done('What was said by hand is taken back. A sync is asked for.')}
        />
      )}
    </>
  )
}

function Links(props: { of: Someone; unlink?: (host: string) => void }) {
  const p = props.of
  if (p.links.length === 0)
    return (
      <div className="box">
        <div className="row">
          No account is known to be theirs.
          {p.claims.length > 0 && (
            <div className="small muted">
              The identity provider names{' '}
              {p.claims.map((c) => (
                <span key={c.kind}>
                  the {c.kind} login <bdi className="mono">{c.login}</bdi>
                </span>
              ))}
              : a claim, and no link.
            </div>
          )}
        </div>
      </div>
    )
  return (
    <div className="box">
      <ul>
        {p.links.map((l) => {
          const manual = p.manual.find((m) => m.host === l.host)
          const state = linkStates[l.state]
          return (
            <li key={`${l.host}/${l.account}/${l.tier}`} className="row line">
              <div className="grow">
                <strong>
                  <bdi>{l.login || `account ${l.account}`}</bdi>
                </strong>{' '}
                <span className="muted">on {l.host}</span>{' '}
                <Label variant={state?.variant ?? 'default'}>{state?.text ?? l.state}</Label>
                <div>
                  Known by: {tiers[l.tier] ?? l.tier}
                  {l.evidence && (
                    <>
                      {' '}
                      (<span className="mono wrap">{l.evidence}</span>)
                    </>
                  )}
                </div>
                {l.trouble && <div>{sentence(l.trouble)}</div>}
                <div className="small muted">
                  Account {l.account}, since <When at={l.since} />
                  {l.by && (
                    <>
                      , by <bdi>{l.by}</bdi>
                    </>
                  )}
                  {manual?.file && `. It stands in ${manual.file}, line ${manual.line ?? 0}: take it out there`}
                </div>
              </div>
              {manual && !manual.file && props.unlink && (
                <Button size="small" variant="danger" onClick={() => props.unlink?.(l.host)}>
                  Take back
                </Button>
              )}
            </li>
          )
        })}
      </ul>
      {p.others.length > 0 && (
        <div className="row small">
          The same account is also linked to{' '}
          {p.others.map((o) => (
            <Link key={o} to={pathOf(o)}>
              {o}
            </Link>
          ))}
          .
        </div>
      )}
    </div>
  )
}

function Teams(props: { of: Someone }) {
  const p = props.of
  if (p.teams.length === 0)
    return (
      <None icon={PeopleIcon} title="No team has to do with them">
        {p.id
          ? 'None of their groups is mapped to a team, and nobody has been put into one for them.'
          : 'No run has put this account into a team or found it justified there.'}
      </None>
    )
  const who = p.id ? `${p.source}/${p.id}` : (p.accounts[0]?.login ?? p.accounts[0]?.account ?? '')
  return (
    <div className="box">
      <ul>
        {p.teams.map((t) => (
          <li key={`${t.target}/${t.team.id ?? ''}`} className="row line">
            <div className="grow">
              <Link
                to={`/organizations/${encodeURIComponent(t.target)}/teams/${encodeURIComponent(t.team.id ?? '')}`}
                className="strong-link"
              >
                <bdi>
                  {t.target}/{t.team.name}
                </bdi>
              </Link>{' '}
              <Verdict of={t.verdict} /> {t.role === 'maintainer' && <Label>maintainer</Label>}
              {t.mappings.map((m) => (
                <div key={m.id} className="small">
                  <Path of={m.path ?? []} /> <span className="muted mono">{m.id}</span>
                </div>
              ))}
              <div className="small">{t.summary}.</div>
              {t.held && <div className="small">{sentence(t.held.message)}</div>}
              {(t.pending?.objections ?? []).map((o) => (
                <div key={o} className="small">
                  {sentence(o)}
                </div>
              ))}
              {t.since && (
                <div className="small muted">
                  {t.origin === 'granted' ? 'Given' : 'Found'} <When at={t.since} />
                </div>
              )}
            </div>
            <Button
              as={Link}
              size="small"
              to={whyPath(who, `${t.target}/${t.team.id || t.team.name || ''}`)}
              aria-label={`Why: ${t.target}/${t.team.name ?? ''}`}
            >
              Why
            </Button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Groups(props: { of: Someone }) {
  const p = props.of
  if (p.groups.length === 0)
    return (
      <None icon={OrganizationIcon} title="In no group that was read">
        Only the groups that are mapped, and those within them, are read with their members.
      </None>
    )
  return (
    <div className="box">
      <ul>
        {p.groups.map((g) => (
          <li key={g.id} className="row line">
            <div className="grow">
              <strong>
                <bdi>{g.name}</bdi>
              </strong>
              {g.path.length > 1 && (
                <div className="small muted">
                  by way of <Path of={g.path.slice(1)} />
                </div>
              )}
            </div>
            <div className="small muted wrap">
              {g.teams.length > 0 ? `mapped to ${g.teams.join(', ')}` : 'not mapped'}
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}

const kinds: Record<string, string> = {
  outcome: 'Write',
  found: 'Found in the team',
  forget: 'Left the ledger',
  restore: 'Put back by an undo',
  link: 'Link',
  intent: 'Intent',
}
const acts: Record<string, string> = {
  add: 'Added',
  remove: 'Removed',
  update: 'Role changed',
  cancel: 'Invitation cancelled',
  state: 'Linked by hand',
  unstate: 'Link by hand taken back',
}

function History(props: { of: Someone }) {
  const p = props.of
  if (p.history.length === 0)
    return (
      <None title="Nothing was done yet">
        What runs do to their memberships, and how they came to be linked, is listed here.
      </None>
    )
  return (
    <div className="box table-box">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col">Why</th>
            <th scope="col">Run</th>
          </tr>
        </thead>
        <tbody>
          {p.history.map((e) => (
            <tr key={e.entry}>
              <td data-label="When">
                <Moment at={e.at} />
              </td>
              <td data-label="What">
                {acts[e.act ?? ''] ?? kinds[e.kind] ?? e.kind}
                {e.team && (
                  <>
                    {' '}
                    <bdi>
                      {e.target}/{e.team.name}
                    </bdi>
                  </>
                )}
                {e.result && <span className="muted"> · {e.result}</span>}
              </td>
              <td data-label="Why" className="wrap">
                {[e.why, e.error, !e.run && e.requester].filter(Boolean).join('. ') || <span className="muted">–</span>}
              </td>
              <td data-label="Run" className={e.run ? undefined : 'none'}>
                {e.run ? <Link to={`/runs/${e.run}`}>Run {e.run}</Link> : <span className="muted">–</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
