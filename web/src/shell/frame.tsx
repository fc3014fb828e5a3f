import {
  type Icon,
  GearIcon,
  HomeIcon,
  IterationsIcon,
  LockIcon,
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
import { ActionList, ActionMenu, Button, Dialog, Spinner, UnderlineNav } from '@primer/react'
import { useQueryClient } from '@tanstack/react-query'
import { Suspense, useEffect, useRef, useState } from 'react'
import { Link, Navigate, Outlet, ScrollRestoration, useLocation } from 'react-router'
import { answer, api, Problem, signedOut } from '../api/client'
import { Page } from '../parts/page'
import { Failed, None, wordsOf } from '../parts/shown'
import { Leaving } from '../parts/unsaved'
import { SignedOut } from './signed-out'
import mark from './mark.svg'
import { looks, type Me, useMe } from './me'
import { SignIn } from './sign-in'
import { type Mode, useTheme } from './theme'

const places: { to: string; text: string; icon: Icon; open: (me: Me) => boolean; also?: RegExp }[] = [
  { to: '/', text: 'Overview', icon: HomeIcon, open: looks },
  { to: '/teams', text: 'Teams', icon: PeopleIcon, open: anyRole, also: /^\/organizations\/[^/]+\/teams(\/|$)/ },
  { to: '/plans', text: 'Plans', icon: DiffIcon, open: looks, also: /^\/organizations\/[^/]+\/plan(\/|$)/ },
  { to: '/runs', text: 'Runs', icon: IterationsIcon, open: looks },
  { to: '/people', text: 'People', icon: PersonIcon, open: looks },
  { to: '/connections', text: 'Connections', icon: PlugIcon, open: looks },
  { to: '/audit', text: 'Audit log', icon: LogIcon, open: looks },
  { to: '/settings', text: 'Settings', icon: GearIcon, open: anyRole },
]

/** nameOf is what somebody is called: GitHub knows a name of few. */
function nameOf(me: Me): string {
  return me.name || me.login || me.who || 'Somebody'
}

function anyRole(me: Me): boolean {
  return (me.roles ?? []).length > 0
}

/** Frame is what stands around every page: who is signed in, and the way to the other pages. */
export function Frame() {
  const me = useMe()
  const { pathname } = useLocation()
  const main = useRef<HTMLElement>(null)
  const [ended, setEnded] = useState(false)
  const who = me.data

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
  if (!who && me.error && !(me.error instanceof Problem && me.error.status === 401)) {
    return (
      <main className="main">
        <Failed error={me.error} again={() => void me.refetch()} />
      </main>
    )
  }
  if (!who?.signed_in) return <SignIn providers={who?.providers ?? []} />
  if (pathname === '/signed-in') return <SignedIn name={nameOf(who)} />
  const open = places.filter((p) => p.open(who))
  const home = open[0]?.to ?? '/link'
  const begins = (to: string) => (to === '/' ? pathname === '/' : pathname === to || pathname.startsWith(`${to}/`))
  const closed = places.some((p) => !p.open(who) && begins(p.to)) || (open.length === 0 && !begins('/link'))
  // Whoever may look at nothing, or at their own teams alone, is led to what is theirs.
  if (closed && (pathname === '/' || open.length === 0)) return <Navigate to={home} replace />

  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(e) => {
          e.preventDefault() // the address stays what it is: it may be sent to somebody
          main.current?.focus()
        }}
      >
        Skip to content
      </a>
      <header className="top">
        <div className="top-bar">
          <Link className="brand" to="/">
            <img src={mark} alt="" /> Musterline
          </Link>
          <span className="room" />
          <Account name={nameOf(who)} />
        </div>
        {open.length > 0 && (
          <UnderlineNav aria-label="Console">
            {open.map((p) => (
              <UnderlineNav.Item
                key={p.to}
                as={Link}
                to={p.to}
                leadingVisual={<p.icon />}
                aria-current={begins(p.to) || p.also?.test(pathname) ? 'page' : undefined}
              >
                {p.text}
              </UnderlineNav.Item>
            ))}
          </UnderlineNav>
        )}
      </header>
      <main id="main" className="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<Spinner />}>{closed ? <Closed /> : <Outlet />}</Suspense>
      </main>
      {ended && <SignedOut again={() => setEnded(false)} />}
      <Leaving />
      <ScrollRestoration />
    </>
  )
}

/** Closed says that a page is not for this person. The server would say the same of everything on it. */
function Closed() {
  return (
    <Page title="Not for you">
      <None icon={LockIcon} title="Your role does not open this page">
        An administrator of Musterline can give you one that does.
      </None>
    </Page>
  )
}

/** SignedIn is where somebody arrives who has signed in again for a page in another tab. */
function SignedIn(props: { name: string }) {
  return (
    <main className="sign-in">
      <img src={mark} alt="" width={48} height={48} />
      <Page title="You are signed in">
        <p>
          As <bdi>{props.name}</bdi>. Go back to the other tab: everything is as you left it. This one can be closed.
        </p>
      </Page>
    </main>
  )
}

function Account(props: { name: string }) {
  const [mode, setMode] = useTheme()
  const queries = useQueryClient()
  const [failed, setFailed] = useState<unknown>()
  const signOut = async () => {
    try {
      await answer(api.POST('/api/musterline/me/sign-out'))
    } catch (e) {
      if (!(e instanceof Problem && e.status === 401)) {
        setFailed(e)
        return
      }
    }
    queries.clear()
    window.location.assign('/console/')
  }
  const modes: { mode: Mode; text: string; icon: typeof SunIcon }[] = [
    { mode: 'auto', text: 'As the system', icon: DeviceDesktopIcon },
    { mode: 'day', text: 'Light', icon: SunIcon },
    { mode: 'night', text: 'Dark', icon: MoonIcon },
  ]
  return (
    <>
      {failed !== undefined && (
        <Dialog title="You are still signed in" onClose={() => setFailed(undefined)}>
          {wordsOf(failed)}
        </Dialog>
      )}
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
    </>
  )
}
