import { PeopleIcon } from '@primer/octicons-react'
import { CounterLabel, Select, UnderlineNav } from '@primer/react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { answer, api, type components } from '../../api/client'
import { Page } from '../../parts/page'
import { Pager, Search, useFilter } from '../../parts/search'
import { Failed, None, Shown } from '../../parts/shown'
import { Unconnected } from '../../parts/unconnected'
import { When } from '../../parts/when'
import { accountPath, type Line, pathOf, personPath, State, states, tiers } from './words'
import { WhyBox } from './why-box'
import './people.css'

type PersonState = 'linked' | 'not-linked' | 'not-a-member' | 'ambiguous' | 'conflict' | 'revoked' | 'inactive'

/** People are the users of the sources, and the accounts that nobody is linked to. */
export default function People() {
  const [filter] = useFilter()
  const accounts = filter('view') === 'accounts'
  return (
    <Page title="People" lead="Who is which account, how that is known, and what is in the way.">
      <WhyBox />
      <div className="view-nav">
        <UnderlineNav aria-label="People" key={String(accounts)}>
          <UnderlineNav.Item as={Link} to="/people" aria-current={accounts ? undefined : 'page'}>
            Users
          </UnderlineNav.Item>
          <UnderlineNav.Item as={Link} to="/people?view=accounts" aria-current={accounts ? 'page' : undefined}>
            Accounts without a user
          </UnderlineNav.Item>
        </UnderlineNav>
      </div>
      {accounts ? <Accounts /> : <Users />}
    </Page>
  )
}

function Users() {
  const [filter, change] = useFilter()
  const [q, state, source, cursor] = [filter('q'), filter('state'), filter('source'), filter('cursor')]
  const people = useQuery({
    queryKey: ['people', q, state, source, cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/people', {
          params: {
            query: {
              q: q || undefined,
              state: (state || undefined) as PersonState | undefined,
              source: source || undefined,
              cursor: cursor || undefined,
              size: 50,
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  })
  const counts = people.data?.counts ?? {}
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  const names = people.data?.sources.map((s) => s.name) ?? []
  if (people.data && names.length === 0 && !q && !state && !source) {
    return <Unconnected what="source">The people of mapped groups are listed here once one is.</Unconnected>
  }
  return (
    <>
      <div className="filter">
        <Search label="Name, mail address, id or login" value={q} onChange={(v) => change({ q: v })} />
        <Select aria-label="State" value={state} onChange={(e) => change({ state: e.target.value })}>
          <Select.Option value="">All states ({total.toLocaleString()})</Select.Option>
          {Object.entries(states).map(([key, s]) => (
            <Select.Option key={key} value={key}>
              {`${s.text} (${(counts[key] ?? 0).toLocaleString()})`}
            </Select.Option>
          ))}
        </Select>
        {(names.length > 1 || source) && (
          <Select aria-label="Source" value={source} onChange={(e) => change({ source: e.target.value })}>
            <Select.Option value="">All sources</Select.Option>
            {(source && names.length < 2 ? [source] : names).map((name) => (
              <Select.Option key={name} value={name}>
                {name}
              </Select.Option>
            ))}
          </Select>
        )}
      </div>
      <Shown of={people}>
        {(list) => (
          <>
            {list.people.length === 0 ? (
              <Nobody filtered={!!(q || state || source)} read={list.sources.some((s) => s.read_at)} />
            ) : (
              <div className="box">
                <ul aria-label="Users">
                  {list.people.map((p) => (
                    <li key={`${p.source}/${p.id}`} className="row line">
                      <One of={p} />
                    </li>
                  ))}
                </ul>
              </div>
            )}
            <Ages of={list.sources} />
            <Pager cursor={cursor} next={list.next} go={(c) => change({ cursor: c })} />
          </>
        )}
      </Shown>
    </>
  )
}

function Nobody(props: { filtered: boolean; read: boolean }) {
  if (props.filtered)
    return (
      <None icon={PeopleIcon} title="Nobody fits">
        Change the search, or choose another state.
      </None>
    )
  return (
    <None icon={PeopleIcon} title="Nobody is known yet">
      {props.read
        ? 'No group of the sources is mapped to a team. Map one, and its people are listed here.'
        : 'No source was read yet. The first sync reads the people of the mapped groups.'}
    </None>
  )
}

function One(props: { of: Line }) {
  const p = props.of
  return (
    <>
      <div className="grow">
        <Link to={personPath(p.source, p.id)} className="strong-link">
          <bdi>{p.name || p.username || p.id}</bdi>
        </Link>{' '}
        <State of={p.state} />
        {p.status === 'locked' && <span className="small muted"> locked at the identity provider</span>}
        <div className="small muted">
          {p.email && (
            <>
              <bdi>{p.email}</bdi> ·{' '}
            </>
          )}
          <bdi>
            {p.source}/{p.id}
          </bdi>
        </div>
        {p.message && p.state !== 'linked' && <div className="small">{p.message}</div>}
      </div>
      <div className="small person-accounts">
        {p.accounts.map((a) => (
          <div key={`${a.host}/${a.account}`}>
            <strong>
              <bdi>{a.login || `account ${a.account}`}</bdi>
            </strong>{' '}
            <span className="muted">
              {tiers[a.tier] ?? a.tier}
              {a.state === 'stated' && ', counts from the next sync'}
            </span>
          </div>
        ))}
      </div>
    </>
  )
}

function Ages(props: { of: components['schemas']['SourceAge'][] }) {
  if (props.of.length === 0) return null
  return (
    <p className="small muted">
      As of:{' '}
      {props.of.map((s, i) => (
        <span key={s.name}>
          {i > 0 && ', '}
          <bdi>{s.name}</bdi> <When at={s.read_at} none="never read" />
        </span>
      ))}
    </p>
  )
}

/** Accounts are members of an organization to whom no user is linked. */
function Accounts() {
  const [filter, change] = useFilter()
  const configured = useQuery({
    queryKey: ['configured'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
    staleTime: 60_000,
  })
  const names = configured.data?.targets.map((t) => t.name) ?? []
  const target = filter('target') || names[0] || ''
  const [q, cursor] = [filter('q'), filter('cursor')]
  const accounts = useQuery({
    queryKey: ['accounts', target, q, cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/targets/{target}/accounts', {
          params: {
            path: { target },
            query: { q: q || undefined, unlinked: true, cursor: cursor || undefined, size: 50 },
          },
          signal,
        }),
      ),
    enabled: target !== '',
    placeholderData: keepPreviousData,
  })
  if (configured.data && names.length === 0)
    return (
      <None icon={PeopleIcon} title="No organization is connected">
        Its members are listed here once one is.
      </None>
    )
  return (
    <>
      <div className="filter">
        <Search label="Login or number" value={q} onChange={(v) => change({ q: v })} />
        {names.length > 1 && (
          <Select aria-label="Organization" value={target} onChange={(e) => change({ target: e.target.value })}>
            {names.map((name) => (
              <Select.Option key={name} value={name}>
                {name}
              </Select.Option>
            ))}
          </Select>
        )}
      </div>
      {configured.error && <Failed error={configured.error} again={() => void configured.refetch()} />}
      <Shown of={accounts}>
        {(list) => (
          <>
            {list.accounts.length === 0 ? (
              <None icon={PeopleIcon} title={q ? 'No such account' : 'Nobody is left over'}>
                {q
                  ? 'Change the search.'
                  : 'Every member that the last run has seen has a user, or no run has seen any yet.'}
              </None>
            ) : (
              <div className="box">
                <div className="head">
                  <strong>
                    Members of <bdi>{list.target}</bdi> whom no user is linked to
                  </strong>{' '}
                  <CounterLabel>{list.total.toLocaleString()}</CounterLabel>
                </div>
                <ul>
                  {list.accounts.map((a) => (
                    <li key={a.account} className="row line">
                      <div className="grow">
                        <Link to={accountPath(list.host, a.account)} className="strong-link">
                          <bdi>{a.login}</bdi>
                        </Link>
                        <div className="small muted">
                          {list.host}/{a.account}
                          {a.users.map((u) => (
                            <span key={u}>
                              {' '}
                              <Link to={pathOf(u)}>{u}</Link>
                            </span>
                          ))}
                        </div>
                      </div>
                    </li>
                  ))}
                </ul>
              </div>
            )}
            <Pager cursor={cursor} next={list.next} go={(c) => change({ cursor: c })} />
          </>
        )}
      </Shown>
    </>
  )
}
