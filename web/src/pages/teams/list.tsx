import { PeopleIcon, SyncIcon } from '@primer/octicons-react'
import { Banner, Button, FormControl, Select } from '@primer/react'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { Link, useParams } from 'react-router'
import { answer, api, type components } from '../../api/client'
import { Page } from '../../parts/page'
import { Pager, Search, useFilter } from '../../parts/search'
import { None, Shown, wordsOf } from '../../parts/shown'
import { When } from '../../parts/when'
import { TeamState } from './state'

type Team = components['schemas']['RememberedTeam']
type Filter = 'mapped' | 'unmapped' | 'held' | 'objected' | 'refused'

const filters: { value: Filter | ''; text: string }[] = [
  { value: '', text: 'All teams' },
  { value: 'mapped', text: 'Mapped' },
  { value: 'unmapped', text: 'Not mapped' },
  { value: 'objected', text: 'Waiting for approval' },
  { value: 'held', text: 'With held people' },
  { value: 'refused', text: 'Not synchronized' },
]

/** List is the teams of an organization as they were read last. */
export default function List() {
  const target = useParams().target ?? ''
  const queries = useQueryClient()
  const [filter, change] = useFilter()
  const q = filter('q')
  const which = filter('filter') as Filter | ''
  const cursor = filter('cursor')
  const key = ['teams', target, q, which, cursor]
  const asked = {
    path: { target },
    query: { q: q || undefined, filter: which || undefined, cursor: cursor || undefined, size: 50 },
  }
  const teams = useQuery({
    queryKey: key,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/targets/{target}/memory/teams', { params: asked, signal })),
  })
  const reading = useMutation({
    mutationFn: () => answer(api.POST('/api/musterline/targets/{target}/memory/teams', { params: asked })),
    onSuccess: (list) => {
      void queries.invalidateQueries({ queryKey: ['teams', target], refetchType: 'none' })
      queries.setQueryData(key, list)
    },
  })
  // The names of teams that nothing maps are read once by themselves, and then when somebody asks.
  const never = teams.data !== undefined && !teams.data.listed_at
  const begun = useRef(false)
  const { mutate } = reading
  useEffect(() => {
    if (never && !begun.current) {
      begun.current = true
      mutate()
    }
  }, [never, mutate])
  const all = teams.data
  return (
    <Page
      title="Teams"
      crumbs={[
        { to: '/teams', text: 'Teams' },
        { to: `/organizations/${encodeURIComponent(target)}/teams`, text: target },
      ]}
      lead={
        all && (
          <>
            {all.listed_at ? (
              <>
                Names as of <When at={all.listed_at} />
              </>
            ) : (
              'Mapped teams'
            )}
            {all.plan_at && (
              <>
                , state as of the plan made <When at={all.plan_at} />
              </>
            )}
          </>
        )
      }
      acts={
        <Button leadingVisual={SyncIcon} loading={reading.isPending} onClick={() => reading.mutate()}>
          Read names again
        </Button>
      }
    >
      {reading.error && (
        <Banner
          variant="warning"
          title="The names of the teams could not be read"
          description={<>Shown is what was read before. {wordsOf(reading.error)}</>}
        />
      )}
      <div className="filter">
        <Search label="Find a team or a group" value={q} onChange={(text) => change({ q: text })} />
        <FormControl>
          <FormControl.Label visuallyHidden>Show</FormControl.Label>
          <Select value={which} onChange={(e) => change({ filter: e.target.value })}>
            {filters.map((f) => (
              <Select.Option key={f.value} value={f.value}>
                {f.text + (all ? ` (${(all.counts[f.value || 'all'] ?? 0).toLocaleString()})` : '')}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
      </div>
      <Shown of={teams}>
        {(list) =>
          list.teams.length === 0 ? (
            <None icon={PeopleIcon} title={q || which ? 'No team fits' : 'No team is known yet'}>
              {q || which
                ? 'No team of the organization has this in its name or in those of its groups, or is so.'
                : reading.isPending
                  ? 'The names of the teams are being read.'
                  : 'The organization may have none.'}
            </None>
          ) : (
            <Table of={list.teams} target={target} />
          )
        }
      </Shown>
      <Pager cursor={cursor} next={all?.next} go={(c) => change({ cursor: c })} />
    </Page>
  )
}

function Table(props: { of: Team[]; target: string }) {
  return (
    <div className="box">
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Team</th>
            <th scope="col">Groups</th>
            <th scope="col" className="figure">
              Members
            </th>
            <th scope="col">State</th>
            <th scope="col">Last change</th>
          </tr>
        </thead>
        <tbody>
          {props.of.map((t) => (
            <tr key={t.id ?? t.slug}>
              <th scope="row">
                <Link
                  to={`/organizations/${encodeURIComponent(props.target)}/teams/${encodeURIComponent(t.slug)}`}
                  className="strong-link"
                >
                  <bdi>{t.name}</bdi>
                </Link>
                {t.name.toLowerCase() !== t.slug.toLowerCase() && (
                  <span className="small muted block">
                    <bdi>{t.slug}</bdi>
                  </span>
                )}
                {t.parent && (
                  <span className="small muted block">
                    in <bdi>{t.parent}</bdi>
                  </span>
                )}
              </th>
              <td data-label="Groups" className={t.groups.length === 0 ? 'nothing' : undefined}>
                {t.groups.length === 0 ? (
                  <span className="muted">–</span>
                ) : (
                  t.groups.slice(0, 3).map((g) => (
                    <span key={g} className="block">
                      <bdi>{g}</bdi>
                    </span>
                  ))
                )}
                {t.groups.length > 3 && <span className="block small muted">and {t.groups.length - 3} more</span>}
              </td>
              <td data-label="Members" className={t.read_at ? 'figure' : 'figure nothing'}>
                {t.read_at ? (
                  t.members.toLocaleString()
                ) : (
                  <span className="muted" title="Members of teams that are not mapped are not read">
                    –
                  </span>
                )}
              </td>
              <td data-label="State">
                <span className="inline">
                  <TeamState state={t.state} />
                  <span className="small muted">
                    {[
                      t.objected > 0 && `${t.objected.toLocaleString()} stopped`,
                      t.pending > 0 && `${t.pending.toLocaleString()} pending`,
                      t.leaving > 0 && `${t.leaving.toLocaleString()} in grace`,
                      t.held > 0 && `${t.held.toLocaleString()} held`,
                    ]
                      .filter(Boolean)
                      .join(', ')}
                  </span>
                </span>
                {t.refused && (
                  <span className="small wrap block muted">
                    <bdi>{t.refused}</bdi>
                  </span>
                )}
              </td>
              <td data-label="Last change" className={t.changed_at ? undefined : 'nothing'}>
                {t.changed_at ? <When at={t.changed_at} /> : <span className="muted">–</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
