import {
  GearIcon,
  HomeIcon,
  IterationsIcon,
  LogIcon,
  MoonIcon,
  PeopleIcon,
  PersonIcon,
  PlugIcon,
  SignOutIcon,
  SunIcon,
  DeviceDesktopIcon,
  DiffIcon,
} from '@primer/octicons-react'
import { ActionList, ActionMenu, Button, Spinner, UnderlineNav } from '@primer/react'
import { useQueryClient } from '@tanstack/react-query'
import { Suspense, useEffect, useRef, useState } from 'react'
import { Link, Outlet, ScrollRestoration, useLocation } from 'react-router'
import { answer, api, Problem, signedOut } from '../api/client'
import { Failed } from '../parts/shown'
import { SignedOut } from './signed-out'
import mark from './mark.svg'
import { useMe } from './me'
import { SignIn } from './sign-in'
import { type Mode, useTheme } from './theme'

const places = [
  { to: '/', text: 'Overview', icon: HomeIcon },
  { to: '/teams', text: 'Teams', icon: PeopleIcon },
  { to: '/plans', text: 'Plans', icon: DiffIcon },
  { to: '/runs', text: 'Runs', icon: IterationsIcon },
  { to: '/people', text: 'People', icon: PersonIcon },
  { to: '/connections', text: 'Connections', icon: PlugIcon },
  { to: '/audit', text: 'Audit log', icon: LogIcon },
  { to: '/settings', text: 'Settings', icon: GearIcon },
]

/** Frame is what stands around every page: who is signed in, and the way to the other pages. */
export function Frame() {
  const me = useMe()
  const { pathname } = useLocation()
  const main = useRef<HTMLElement>(null)
  const [ended, setEnded] = useState(false)
  const signedIn = me.data?.signed_in === true

  useEffect(() => {
    const hear = () => setEnded(true)
    signedOut.addEventListener('signed-out', hear)
    return () => signedOut.removeEventListener('signed-out', hear)
  }, [])

  // A reader of screens hears that the page has changed.
  const first = useRef(true)
  useEffect(() => {
    if (first.current) first.current = false
    else main.current?.focus({ preventScroll: true })
  }, [pathname])

  if (me.isPending) {
    return (
      <main className="main" role="status" aria-label="Loading">
        <Spinner />
      </main>
    )
  }
  if (me.error && !(me.error instanceof Problem && me.error.status === 401)) {
    return (
      <main className="main">
        <Failed error={me.error} again={() => void me.refetch()} />
      </main>
    )
  }
  if (!signedIn) return <SignIn providers={me.data?.providers ?? []} />

  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <div className="top-bar">
          <Link className="brand" to="/">
            <img src={mark} alt="" /> Musterline
          </Link>
          <span className="room" />
          <Account name={me.data?.name ?? ''} />
        </div>
        <UnderlineNav aria-label="Console">
          {places.map((p) => {
            const here = p.to === '/' ? pathname === '/' : pathname === p.to || pathname.startsWith(`${p.to}/`)
            return (
              <UnderlineNav.Item
                key={p.to}
                as={Link}
                to={p.to}
                leadingVisual={<p.icon />}
                aria-current={here ? 'page' : undefined}
              >
                {p.text}
              </UnderlineNav.Item>
            )
          })}
        </UnderlineNav>
      </header>
      <main id="main" className="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<Spinner />}>
          <Outlet />
        </Suspense>
      </main>
      {ended && <SignedOut again={() => setEnded(false)} />}
      <ScrollRestoration />
    </>
  )
}

function Account(props: { name: string }) {
  const [mode, setMode] = useTheme()
  const queries = useQueryClient()
  const signOut = async () => {
    await answer(api.POST('/api/musterline/me/sign-out'))
    queries.clear()
    window.location.assign('/console/')
  }
  const modes: { mode: Mode; text: string; icon: typeof SunIcon }[] = [
    { mode: 'auto', text: 'As the system', icon: DeviceDesktopIcon },
    { mode: 'day', text: 'Light', icon: SunIcon },
    { mode: 'night', text: 'Dark', icon: MoonIcon },
  ]
  return (
    <ActionMenu>
      <ActionMenu.Anchor>
        <Button variant="invisible" leadingVisual={PersonIcon} aria-label={`Account of ${props.name}`}>
          <bdi className="account">{props.name}</bdi>
        </Button>
      </ActionMenu.Anchor>
      <ActionMenu.Overlay width="small" align="end">
        <ActionList>
          <ActionList.Group selectionVariant="single">
            <ActionList.GroupHeading>Appearance</ActionList.GroupHeading>
            {modes.map((m) => (
              <ActionList.Item key={m.mode} selected={mode === m.mode} onSelect={() => setMode(m.mode)}>
                <ActionList.LeadingVisual>
                  <m.icon />
                </ActionList.LeadingVisual>
                {m.text}
              </ActionList.Item>
            ))}
          </ActionList.Group>
          <ActionList.Divider />
          <ActionList.LinkItem as={Link} to="/link">
            <ActionList.LeadingVisual>
              <PersonIcon />
            </ActionList.LeadingVisual>
            My accounts
          </ActionList.LinkItem>
          <ActionList.Item onSelect={() => void signOut()}>
            <ActionList.LeadingVisual>
              <SignOutIcon />
            </ActionList.LeadingVisual>
            Sign out
          </ActionList.Item>
        </ActionList>
      </ActionMenu.Overlay>
    </ActionMenu>
  )
}
