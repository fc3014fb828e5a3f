import { GearIcon, PeopleIcon } from '@primer/octicons-react'
import { UnderlineNav } from '@primer/react'
import { Link, useLocation } from 'react-router'

/** TeamTabs lead from one page of a team to the other. */
export function TeamTabs(props: { target: string; team: string }) {
  const { pathname } = useLocation()
  const at = `/organizations/${encodeURIComponent(props.target)}/teams/${encodeURIComponent(props.team)}`
  const settings = pathname.endsWith('/settings')
  return (
    <div className="team-tabs">
      <UnderlineNav aria-label="Team" variant="flush">
        <UnderlineNav.Item
          as={Link}
          to={at}
          leadingVisual={<PeopleIcon />}
          aria-current={settings ? undefined : 'page'}
        >
          Groups and people
        </UnderlineNav.Item>
        <UnderlineNav.Item
          as={Link}
          to={`${at}/settings`}
          leadingVisual={<GearIcon />}
          aria-current={settings ? 'page' : undefined}
        >
          Team settings
        </UnderlineNav.Item>
      </UnderlineNav>
    </div>
  )
}
