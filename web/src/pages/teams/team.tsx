import { LogIcon } from '@primer/octicons-react'
import { Banner, Label } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link, useParams } from 'react-router'
import { api, versioned } from '../../api/client'
import { Outcome } from '../../parts/outcome'
import { Page, Section } from '../../parts/page'
import { Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { Groups, type TeamPage } from './groups'
import { People } from './people'
import { TeamState } from './state'
import { TeamTabs } from './tabs'

/** how long a page watches what comes of a change that was saved on it. */
const watching = 60_000

/** Team is one team: the groups that belong in it, who is in it and why, and what happened to it. */
export default function Team() {
  const { target = '', team = '' } = useParams()
  const queries = useQueryClient()
  const [saved, setSaved] = useState(0)
  const [fresh, setFresh] = useState(false)
  const page = useQuery({
    queryKey: ['team', target, team],
    refetchInterval: fresh ? 2_000 : false,
    queryFn: ({ signal }) =>
      versioned(
        api.GET('/api/musterline/targets/{target}/memory/teams/{team}', { params: { path: { target, team } }, signal }),
      ),
  })
  useEffect(() => {
    if (!saved) return
    const timer = window.setTimeout(() => setFresh(false), watching)
    return () => window.clearTimeout(timer)
  }, [saved])
  const name = page.data?.data.name ?? team
  const at = `/organizations/${encodeURIComponent(target)}`
  return (
    <Page
      title={name}
      crumbs={[
        { to: '/teams', text: 'Teams' },
        { to: `${at}/teams`, text: target },
        { to: `${at}/teams/${encodeURIComponent(team)}`, text: name },
      ]}
      labels={page.data && <TeamState state={page.data.data.state} />}
      lead={page.data && <Lead of={page.data.data} />}
    >
      <TeamTabs target={target} team={team} />
      <Outcome of={saved}>
        <Banner
          variant="success"
          title="Saved"
          description={
            <>
              A sync of the team was asked for. What comes of it shows here, and on{' '}
              <Link to={`/runs?target=${encodeURIComponent(target)}`}>the runs</Link>.
            </>
          }
          onDismiss={() => setSaved(0)}
        />
      </Outcome>
      <Shown of={page}>
        {({ data, etag }) => (
          <>
            <Troubles of={data} target={target} />
            <Groups
              target={target}
              team={data}
              etag={etag}
              saved={() => {
                setSaved((n) => n + 1)
                setFresh(true)
                void queries.invalidateQueries({ queryKey: ['team', target, team] })
                void queries.invalidateQueries({ queryKey: ['team-people', target] })
                void queries.invalidateQueries({ queryKey: ['teams', target] })
              }}
              refetch={async () => {
                const now = await page.refetch()
                void queries.invalidateQueries({ queryKey: ['team-people', target] })
                return now.data && { team: now.data.data, etag: now.data.etag }
              }}
            />
            <People target={target} team={data} fresh={fresh} />
            <Lately of={data} target={target} />
          </>
        )}
      </Shown>
    </Page>
  )
}

function Lead(props: { of: TeamPage }) {
  const t = props.of
  return (
    <>
      {t.description && <bdi>{t.description} · </bdi>}
      {t.read_at ? (
        <>
          {t.members.toLocaleString()} {t.members === 1 ? 'member' : 'members'} as of <When at={t.read_at} />
        </>
      ) : t.mappings.length > 0 ? (
        'Its members were not read yet'
      ) : (
        'Its members are not read, because it is not mapped'
      )}
      {t.parent && (
        <>
          {' '}
          · in <bdi>{t.parent}</bdi>
        </>
      )}
    </>
  )
}

/** Troubles are what stands between the team and what it should be. */
function Troubles(props: { of: TeamPage; target: string }) {
  const t = props.of
  const at = `/organizations/${encodeURIComponent(props.target)}`
  return (
    <div className="stack troubles">
      {t.paused && (
        <Banner
          variant="warning"
          title="The organization is paused"
          description={
            <>
              By <bdi>{t.paused.by}</bdi> <When at={t.paused.at} />: <bdi>{t.paused.reason}</bdi>
            </>
          }
        />
      )}
      {t.refusals.map((r, i) => (
        <Banner key={i} variant="critical" title="Not synchronized" description={<bdi>{r.message}</bdi>} />
      ))}
      {t.objections.length > 0 && (
        <Banner
          variant="warning"
          title={`${t.objected.toLocaleString()} ${t.objected === 1 ? 'change waits' : 'changes wait'} until somebody approves`}
          description={
            <>
              {t.objections.map((o, i) => (
                <span key={i} className="block wrap">
                  <Label variant="attention">{o.guard}</Label> <bdi>{o.message}</bdi>
                </span>
              ))}
              <Link to={`${at}/plan?q=${encodeURIComponent(t.slug)}`}>Review the plan</Link>
            </>
          }
        />
      )}
    </div>
  )
}

function Lately(props: { of: TeamPage; target: string }) {
  const { lately, slug } = props.of
  return (
    <Section
      title="Lately"
      acts={
        <Link
          className="small inline"
          to={`/audit?target=${encodeURIComponent(props.target)}&team=${encodeURIComponent(slug)}`}
        >
          <LogIcon /> Audit log of the team
        </Link>
      }
    >
      {lately.length === 0 ? (
        <div className="box">
          <p className="row muted flat">Nothing has happened to it here.</p>
        </div>
      ) : (
        <ul className="box plain">
          {lately.map((e) => (
            <li key={e.seq} className="row line">
              <span className="grow wrap">
                <bdi>{e.said}</bdi>
              </span>
              {e.run && (
                <Link className="small" to={`/runs/${encodeURIComponent(e.run)}`}>
                  run {e.run}
                </Link>
              )}
              <span className="small muted">
                <When at={e.at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}
