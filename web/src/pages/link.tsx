import {
  CheckCircleFillIcon,
  CircleIcon,
  IdBadgeIcon,
  LinkIcon,
  MarkGithubIcon,
  PeopleIcon,
  type Icon,
} from '@primer/octicons-react'
import { Banner, Button, Label, VisuallyHidden } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { answer, api, type components } from '../api/client'
import { Page, Section } from '../parts/page'
import { Refused, sentence, Shown } from '../parts/shown'
import { When } from '../parts/when'
import { useMe } from '../shell/me'

type Sides = components['schemas']['Sides']

/** MyAccounts is where somebody shows both sides of themselves, sees which teams they get, and links the two. It takes no role. */
export default function MyAccounts() {
  const me = useMe()
  const sides = useQuery({
    queryKey: ['my-link'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/me/link', { signal })),
  })
  const nobody = (me.data?.roles ?? []).length === 0
  return (
    <Page
      title="My accounts"
      lead="Show that you are the same person on both sides, so that your groups bring you into the right teams on GitHub."
    >
      <Shown of={sides}>{(s) => <Both of={s} doors={me.data?.providers ?? []} />}</Shown>
      {nobody && (
        <p className="muted small">
          You have no role in Musterline, so this page is all there is for you here. If you should see more, ask an
          administrator of Musterline for a role
          {me.data?.subject && (
            <>
              {' '}
              and tell them who you are: <bdi className="mono wrap">{me.data.subject}</bdi>
            </>
          )}
          .
        </p>
      )}
    </Page>
  )
}

function Both(props: { of: Sides; doors: { id: string; name: string }[] }) {
  const { of: s, doors } = props
  const queries = useQueryClient()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const [made, setMade] = useState(false)
  const told = useRef<HTMLDivElement>(null)
  const idp = doors.find((d) => d.id === 'oidc')
  const github = doors.find((d) => d.id === 'github')
  const user = s.proven_user
  const account = s.proven_account
  const link = async () => {
    setBusy(true)
    setError(undefined)
    try {
      queries.setQueryData(['my-link'], await answer(api.POST('/api/musterline/me/link')))
      setMade(true)
    } catch (e) {
      setError(e)
      await queries.invalidateQueries({ queryKey: ['my-link'] })
    }
    setBusy(false)
    told.current?.focus()
  }
  const outside = s.members.filter((m) => !m.member && !m.unavailable)
  const teams = s.targets.flatMap((t) => t.teams.map((team) => ({ ...team, of: t })))
  return (
    <>
      <ol className="sides">
        <Side
          icon={IdBadgeIcon}
          title={idp?.name ?? 'Identity provider'}
          door={idp && '/login/oidc?prove=1&return=%2Fconsole%2Flink'}
          proven={user && { who: user.name || user.login || 'somebody', more: user.login, at: user.at }}
          missing="Signing in with an identity provider is not set up here. Ask an administrator of Musterline to link you."
        >
          {s.user && (
            <div className="small muted">
              You are <bdi className="mono">{s.user.user}</bdi> there.
            </div>
          )}
        </Side>
        <Side
          icon={MarkGithubIcon}
          title={github?.name ?? 'GitHub'}
          door={github && '/login/github?prove=1&return=%2Fconsole%2Flink'}
          proven={account && { who: account.login, more: account.host, at: account.at }}
          missing="Signing in with GitHub is not set up here. Ask an administrator of Musterline to link you."
        />
      </ol>

      {s.problems.map((p) => (
        <div key={p.reason} className="spaced">
          <Banner
            variant="warning"
            title={problems[p.reason] ?? 'This is in the way'}
            description={`${sentence(p.message)} ${p.hint ? sentence(p.hint) : ''}`}
          />
        </div>
      ))}
      {s.notes.map((n) => (
        <p key={n} className="small muted">
          {sentence(n)}
        </p>
      ))}
      {outside.map((m) => (
        <div key={m.target} className="spaced">
          <Banner
            title={`Not a member of ${s.targets.find((t) => t.target === m.target)?.organization ?? m.target}`}
            description={`Your GitHub account is in no team there before somebody invites it to the organization, and you accept.`}
          />
        </div>
      ))}

      {user && s.user && (
        <Section title="Your teams" count={teams.length}>
          {teams.length === 0 ? (
            <div className="box">
              <p className="row muted">
                None of your groups is mapped to a team. A link does no harm: it counts once one is.
              </p>
            </div>
          ) : (
            <div className="box">
              <ul>
                {teams.map((t) => (
                  <li key={`${t.of.target} ${t.team}`} className="row line">
                    <PeopleIcon />
                    <div className="grow">
                      <strong>
                        <bdi>
                          {t.of.organization ?? t.of.target}/{t.team}
                        </bdi>
                      </strong>{' '}
                      {t.role !== 'member' && <Label>{t.role}</Label>}
                      <div className="small muted">
                        because you are in <bdi>{t.path.join(' › ')}</bdi>
                      </div>
                    </div>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </Section>
      )}

      <div ref={told} tabIndex={-1} role="status" className="stack">
        {s.done && s.link && (
          <Banner
            variant="success"
            title="Your accounts are linked"
            description={
              <>
                <bdi className="mono">{s.link.user}</bdi> is{' '}
                <bdi className="mono">{account?.login ?? s.link.login ?? s.link.account}</bdi> on{' '}
                <bdi>{s.link.host}</bdi>
                {s.link.since && (
                  <>
                    , since <When at={s.link.since} />
                  </>
                )}
                . {made && teams.length > 0 && 'Your teams follow with the next sync, which was asked for.'}
              </>
            }
          />
        )}
        <Refused error={error} />
      </div>
      {!s.done && s.link && <Present link={s.link} />}
      {!s.done && (idp || user) && (github || account) && (
        <div className="spaced">
          <Button
            variant="primary"
            size="large"
            leadingVisual={LinkIcon}
            disabled={!s.ready}
            loading={busy}
            onClick={() => void link()}
          >
            Link my accounts
          </Button>
          {!s.ready && s.problems.length === 0 && (
            <p className="small muted">
              {!user && !account
                ? 'Sign in on both sides first.'
                : !user
                  ? 'Sign in with the identity provider first.'
                  : 'Sign in with GitHub first.'}
            </p>
          )}
        </div>
      )}
    </>
  )
}

const problems: Record<string, string> = {
  'no-source': 'This is not set up yet',
  off: 'Links by oneself are off',
  'never-read': 'The identity provider was not read yet',
  'not-found': 'You were not found',
  ambiguous: 'You cannot be told from somebody else',
  inactive: 'You are disabled there',
  'other-host': 'Another GitHub',
  taken: 'This account is somebody else’s',
  'said-by-hand': 'An administrator has linked you',
}

/** Present is the link that stands now, with what it rests on. */
function Present(props: { link: components['schemas']['Link'] }) {
  const l = props.link
  return (
    <div className="spaced">
      <Section title="Linked now">
        <div className="box">
          <div className="row">
            <bdi className="mono">{l.user}</bdi> is <bdi className="mono">{l.login ?? l.account}</bdi> on{' '}
            <bdi>{l.host}</bdi> <Label>{l.tier}</Label>{' '}
            {l.state !== 'standing' && <Label variant="attention">{l.state}</Label>}
            {l.evidence && (
              <div className="small muted wrap">
                <bdi>{l.evidence}</bdi>
              </div>
            )}
          </div>
        </div>
      </Section>
    </div>
  )
}

function Side(props: {
  icon: Icon
  title: string
  door?: string
  proven?: { who: string; more?: string; at: string }
  missing: string
  children?: React.ReactNode
}) {
  const { proven } = props
  return (
    <li className="box side">
      <div className="row">
        <h2 className="inline">
          <props.icon size={24} /> <bdi>{props.title}</bdi>
        </h2>
        {proven ? (
          <>
            <p className="inline">
              <span className="done">
                <CheckCircleFillIcon aria-label="Shown" />
              </span>
              <span className="wrap">
                Signed in as{' '}
                <strong>
                  <bdi>{proven.who}</bdi>
                </strong>
                {proven.more && proven.more !== proven.who && (
                  <span className="muted">
                    {' '}
                    (<bdi>{proven.more}</bdi>)
                  </span>
                )}
                , <When at={proven.at} />
              </span>
            </p>
            {props.children}
          </>
        ) : (
          <p className="inline muted">
            <CircleIcon aria-label="Not yet" /> {props.door ? 'Not shown yet in this session.' : props.missing}
          </p>
        )}
        {props.door && (
          <Button
            as="a"
            href={props.door}
            variant={proven ? 'default' : 'primary'}
            size={proven ? 'small' : 'medium'}
            aria-label={proven ? `Sign in again with ${props.title}` : undefined}
          >
            {proven ? 'Sign in again' : 'Sign in'}
            {!proven && <VisuallyHidden> with {props.title}</VisuallyHidden>}
          </Button>
        )}
      </div>
    </li>
  )
}
