import { OrganizationIcon, PeopleIcon } from '@primer/octicons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, Navigate } from 'react-router'
import { answer, api } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { Shown, Waiting } from '../../parts/shown'
import { Unconnected } from '../../parts/unconnected'
import { looks, useMe } from '../../shell/me'

/** Choose leads to the teams of the only organization, or lets somebody choose one. Who maintains teams and no more sees those. */
export default function Choose() {
  const me = useMe()
  const all = looks(me.data)
  const configured = useQuery({
    queryKey: ['configured'],
    enabled: all,
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const only = configured.data?.targets.length === 1 ? configured.data.targets[0] : undefined
  if (only) return <Navigate to={`/organizations/${encodeURIComponent(only.name)}/teams`} replace />
  const mine = me.data?.targets?.filter((t) => (t.maintains?.length ?? 0) > 0) ?? []
  if (!all && mine.length > 0) {
    return (
      <Page title="Teams" lead="The teams that you maintain.">
        {mine.map((t) => (
          <Section key={t.target} title={t.target} count={t.maintains?.length}>
            <ul className="box plain">
              {t.maintains?.map((of) => (
                <li key={of.id} className="row inline">
                  <PeopleIcon />
                  <Link to={`/organizations/${encodeURIComponent(t.target)}/teams/${encodeURIComponent(of.slug)}`}>
                    <bdi>{of.slug}</bdi>
                  </Link>
                </li>
              ))}
            </ul>
          </Section>
        ))}
      </Page>
    )
  }
  return (
    <Page title="Teams" lead="Choose an organization.">
      <Shown of={configured} waiting={<Waiting rows={2} />}>
        {(c) =>
          c.targets.length === 0 ? (
            <Unconnected what="organization">Its teams are listed here once one is.</Unconnected>
          ) : (
            <ul className="box plain">
              {c.targets.map((t) => (
                <li key={t.name} className="row inline">
                  <OrganizationIcon />
                  <Link to={`/organizations/${encodeURIComponent(t.name)}/teams`} className="strong-link">
                    <bdi>{t.name}</bdi>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Page>
  )
}
