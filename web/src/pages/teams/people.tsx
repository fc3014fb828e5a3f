import { PeopleIcon } from '@primer/octicons-react'
import { FormControl, Label, type LabelProps, Select } from '@primer/react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, type components } from '../../api/client'
import { Section } from '../../parts/page'
import { Pager, Search, useFilter } from '../../parts/search'
import { None, Shown } from '../../parts/shown'
import { Moment, When } from '../../parts/when'
import { PersonLink, type TeamPage } from './groups'

type Person = components['schemas']['TeamPerson']
type State = 'member' | 'invited' | 'joining' | 'leaving' | 'held'

const filters: { value: State | ''; text: string; key: keyof components['schemas']['PeopleCount'] }[] = [
  { value: '', text: 'Everybody', key: 'all' },
  { value: 'member', text: 'Members', key: 'member' },
  { value: 'invited', text: 'Invited', key: 'invited' },
  { value: 'joining', text: 'Joining', key: 'joining' },
  { value: 'leaving', text: 'Leaving', key: 'leaving' },
  { value: 'held', text: 'Held', key: 'held' },
]

const words: Record<string, { text: string; variant: LabelProps['variant'] }> = {
  invited: { text: 'Invited', variant: 'secondary' },
  joining: { text: 'Joining', variant: 'success' },
  leaving: { text: 'Leaving', variant: 'danger' },
  held: { text: 'Held', variant: 'attention' },
}

/** People are those who are in a team, come, go, or are held, and why. */
export function People(props: { target: string; team: TeamPage; fresh: boolean }) {
  const { target, team } = props
  const [filter, change] = useFilter()
  const q = filter('q')
  const state = filter('state') as State | ''
  const cursor = filter('cursor')
  const people = useQuery({
    queryKey: ['team-people', target, team.slug, q, state, cursor],
    placeholderData: keepPreviousData,
    refetchInterval: props.fresh ? 2_000 : false,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/targets/{target}/memory/teams/{team}/people', {
          params: {
            path: { target, team: team.id ?? team.slug },
            query: { q: q || undefined, state: state || undefined, cursor: cursor || undefined, size: 50 },
          },
          signal,
        }),
      ),
  })
  return (
    <Section title="People" count={team.people.all}>
      {(team.people.all > 0 || q || state) && (
        <div className="filter">
          <Search label="Find somebody by login or name" value={q} onChange={(text) => change({ q: text })} />
          <FormControl>
            <FormControl.Label visuallyHidden>Show</FormControl.Label>
            <Select value={state} onChange={(e) => change({ state: e.target.value })}>
              {filters.map((f) => (
                <Select.Option key={f.value} value={f.value}>
                  {`${f.text} (${((people.data?.counts ?? team.people)[f.key] ?? 0).toLocaleString()})`}
                </Select.Option>
              ))}
            </Select>
          </FormControl>
        </div>
      )}
      <Shown of={people}>
        {(p) =>
          p.people.length === 0 ? (
            <None icon={PeopleIcon} title={q || state ? 'Nobody fits' : 'Nobody'}>
              {q || state
                ? 'Nobody has this in their login or name, or is so.'
                : team.read_at
                  ? 'The team has no member, and none of its groups names one.'
                  : team.mappings.length > 0
                    ? 'Its members are read with the next sync.'
                    : 'Members of teams that are not mapped are not read.'}
            </None>
          ) : (
            <ul className="box plain">
              {p.people.map((one) => (
                <PersonRow key={one.account.id || one.user} of={one} mapped={team.mappings.length > 0} />
              ))}
            </ul>
          )
        }
      </Shown>
      <Pager cursor={cursor} next={people.data?.next} go={(c) => change({ cursor: c })} />
    </Section>
  )
}

function PersonRow(props: { of: Person; mapped: boolean }) {
  const p = props.of
  const w = words[p.state]
  return (
    <li className="row line">
      <span className="grow">
        <span className="inline">
          <PersonLink user={p.user}>
            <strong>
              <bdi>{p.account.login || p.name || p.user}</bdi>
            </strong>
          </PersonLink>
          {p.name && p.account.login && (
            <span className="muted">
              <bdi>{p.name}</bdi>
            </span>
          )}
          {w && <Label variant={w.variant}>{w.text}</Label>}
          {p.held && <Label variant="secondary">{p.held}</Label>}
          {p.becomes && <Label variant="accent">{`becomes ${p.becomes}`}</Label>}
          {p.objected.map((g) => (
            <Label key={g} variant="attention">
              {`stopped by ${g}`}
            </Label>
          ))}
        </span>
        {p.why.map((why) => (
          <span key={why} className="small wrap block">
            <bdi>{why}</bdi>
          </span>
        ))}
        {p.why.length === 0 && p.state === 'member' && <span className="small muted block">In no mapped group</span>}
        <span className="small muted wrap block">
          {[
            p.link && (
              <span key="link" title={p.evidence}>
                linked by {p.link}
              </span>
            ),
            p.origin && (
              <span key="origin">
                {p.origin} <Moment at={p.since ?? ''} />
              </span>
            ),
          ]
            .filter(Boolean)
            .flatMap((part, i) => (i > 0 ? [' · ', part] : [part]))}
        </span>
      </span>
      {p.leaves_at && (
        <span className="small">
          leaves <When at={p.leaves_at} />
        </span>
      )}
      {p.state !== 'held' && <Label variant="secondary">{p.role}</Label>}
    </li>
  )
}
