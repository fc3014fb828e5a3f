import { MarkGithubIcon, ShieldLockIcon } from '@primer/octicons-react'
import { Button, Heading } from '@primer/react'
import { useEffect } from 'react'
import { useLocation } from 'react-router'
import mark from './mark.svg'

type Provider = { id: string; name: string }

/** SignIn is what somebody sees whom we do not know. */
export function SignIn(props: { providers: Provider[] }) {
  const { pathname, search } = useLocation()
  useEffect(() => {
    document.title = 'Sign in · Musterline'
  }, [])
  const back = encodeURIComponent(`/console${pathname}${search}`)
  return (
    <main className="sign-in">
      <img src={mark} alt="" width={48} height={48} />
      <Heading as="h1" variant="medium">
        Sign in to Musterline
      </Heading>
      <div className="box card">
        {props.providers.map((p) => (
          <Button
            key={p.id}
            as="a"
            block
            size="large"
            variant={p.id === 'github' ? 'default' : 'primary'}
            leadingVisual={p.id === 'github' ? MarkGithubIcon : ShieldLockIcon}
            href={`/login/${p.id}?return=${back}`}
          >
            Sign in with {p.name}
          </Button>
        ))}
        {props.providers.length === 0 && (
          <p>
            No way to sign in is configured yet. On the server, ask for a link that is good once:
            <code className="command">musterline sign-in</code>
          </p>
        )}
      </div>
      {props.providers.length > 0 && (
        <p className="small muted">An administrator with a shell on the server can make a link: musterline sign-in</p>
      )}
    </main>
  )
}
