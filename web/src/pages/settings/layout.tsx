import {
  BellIcon,
  CalendarIcon,
  DeviceDesktopIcon,
  GlobeIcon,
  InfoIcon,
  KeyIcon,
  OrganizationIcon,
  PersonAddIcon,
  ShieldIcon,
} from '@primer/octicons-react'
import { FormControl, NavList, Select } from '@primer/react'
import { Link, Navigate, Outlet, useLocation, useNavigate } from 'react-router'
import { looks, may, type Me, useMe } from '../../shell/me'

/** placesOf are the pages of the settings that somebody may open. */
function placesOf(me: Me | undefined) {
  const administers = may(me, 'administrator')
  return [
    { to: 'organizations', text: 'Organizations', icon: OrganizationIcon, open: looks(me) },
    { to: 'enterprise', text: 'Enterprise', icon: GlobeIcon, open: administers },
    { to: 'guards', text: 'Guards', icon: ShieldIcon, open: administers },
    { to: 'schedule', text: 'Schedule and links', icon: CalendarIcon, open: administers },
    { to: 'notifications', text: 'Notifications', icon: BellIcon, open: administers },
    { to: 'tokens', text: 'Tokens', icon: KeyIcon, open: administers },
    { to: 'roles', text: 'Roles', icon: PersonAddIcon, open: administers },
    { to: 'sessions', text: 'Sessions', icon: DeviceDesktopIcon, open: true },
    { to: 'about', text: 'About', icon: InfoIcon, open: looks(me) },
  ].filter((p) => p.open)
}

/** Settings has the list of its pages at the side; on a narrow screen, above. */
export default function Settings() {
  const me = useMe()
  const { pathname } = useLocation()
  const go = useNavigate()
  const places = placesOf(me.data)
  const here = places.find((p) => pathname === `/settings/${p.to}` || pathname.startsWith(`/settings/${p.to}/`))
  if (/^\/settings\/?$/.test(pathname)) return <Navigate to={`/settings/${places[0]?.to ?? 'sessions'}`} replace />
  return (
    <div className="aside">
      <div className="aside-list">
        <NavList aria-label="Settings">
          {places.map((p) => (
            <NavList.Item key={p.to} as={Link} to={`/settings/${p.to}`} aria-current={p === here ? 'page' : undefined}>
              <NavList.LeadingVisual>
                <p.icon />
              </NavList.LeadingVisual>
              {p.text}
            </NavList.Item>
          ))}
        </NavList>
      </div>
      <div className="aside-select">
        <FormControl>
          <FormControl.Label>Settings</FormControl.Label>
          <Select block value={here?.to ?? ''} onChange={(e) => void go(`/settings/${e.target.value}`)}>
            {places.map((p) => (
              <Select.Option key={p.to} value={p.to}>
                {p.text}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
      </div>
      <div className="aside-page">
        <Outlet />
      </div>
    </div>
  )
}
