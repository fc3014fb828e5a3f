import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { answer, api, versioned } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { Shown } from '../../parts/shown'
import { may, useMe } from '../../shell/me'
import { Fields, Guards, SettingsForm } from '../settings/form'
import { TeamTabs } from './tabs'

/** Settings are what holds for one team, and where that comes from; what the team may set for itself can be changed. */
export default function Settings() {
  const { target = '', team = '' } = useParams()
  const me = useMe()
  const settings = useQuery({
    queryKey: ['explained', 'team', target, team],
    queryFn: ({ signal }) =>
      versioned(
        api.GET('/api/musterline/targets/{target}/teams/{team}/settings', {
          params: { path: { target, team } },
          signal,
        }),
      ),
  })
  const title = settings.data?.data.title ?? team
  const at = `/organizations/${encodeURIComponent(target)}/teams`
  const here = `${at}/${encodeURIComponent(team)}`
  return (
    <Page
      title={title}
      document={`Settings of ${title}`}
      crumbs={[
        { to: '/teams', text: 'Teams' },
        { to: at, text: target },
        { to: here, text: title },
      ]}
    >
      <TeamTabs target={target} team={team} />
      <Shown of={settings}>
        {(of) => (
          <SettingsForm
            key={`${target}/${team}`}
            of={of}
            locked={
              may(me.data, 'administrator') ? undefined : 'Only administrators of Musterline can change these settings.'
            }
            prefix="guards."
            save={(body, etag) =>
              answer(
                api.PUT('/api/musterline/targets/{target}/teams/{team}/settings', {
                  params: { path: { target, team }, header: { 'If-Match': etag } },
                  body,
                }),
              )
            }
            reload={async () => (await settings.refetch()).data}
          >
            {(draft) => (
              <>
                <Guards
                  draft={draft}
                  level="team"
                  lead="Guards look at a plan before the first write, and stop what looks like a mistake until a person has looked at it. What is set for this team holds for it, whatever the organization or the enterprise has set."
                />
                <Section title="What else holds for this team">
                  <p className="muted told">
                    The mode and the least role of each group are set with <Link to={here}>the groups of the team</Link>
                    , the rest with{' '}
                    <Link to={`/settings/organizations/${encodeURIComponent(target)}`}>
                      the settings of the organization
                    </Link>
                    .
                  </p>
                  <Fields draft={{ ...draft, locked: true }} level="team" />
                </Section>
              </>
            )}
          </SettingsForm>
        )}
      </Shown>
    </Page>
  )
}
