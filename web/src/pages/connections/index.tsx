import { DatabaseIcon, OrganizationIcon } from '@primer/octicons-react'
import { Button, Label } from '@primer/react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { answer, api, type components } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { None, sentence, Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { may, useMe } from '../../shell/me'
import './connections.css'

type Source = components['schemas']['SourceConnection']
type Target = components['schemas']['TargetConnection']

/** Connections are the sources and the targets. */
export default function Connections() {
  const me = useMe()
  const all = useQuery({
    queryKey: ['connections'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/connections', { signal })),
  })
  const makes = may(me.data, 'administrator')
  const add = (kind: 'source' | 'target', text: string) =>
    makes ? (
      <Button as={Link} to={`/connections/new/${kind}`} size="small">
        {text}
      </Button>
    ) : undefined
  return (
    <Page
      title="Connections"
      lead="Identity providers, whose groups are read, and organizations, whose teams are kept in line with them."
    >
      <Shown of={all}>
        {(c) => (
          <>
            <Section title="Organizations" count={c.targets.length} acts={add('target', 'Connect an organization')}>
              {c.targets.length === 0 ? (
                <None icon={OrganizationIcon} title="No organization is connected">
                  {makes ? 'Connect one by a GitHub App or by a token.' : 'An administrator connects one.'}
                </None>
              ) : (
                <div className="box">
                  <ul>
                    {c.targets.map((t) => (
                      <Row key={`${t.origin}/${t.name}`} of={t} to="targets">
                        <TargetState of={t} />
                      </Row>
                    ))}
                  </ul>
                </div>
              )}
            </Section>
            <Section title="Sources" count={c.sources.length} acts={add('source', 'Add a source')}>
              {c.sources.length === 0 ? (
                <None icon={DatabaseIcon} title="There is no source">
                  {makes ? 'Add the identity provider that knows the groups.' : 'An administrator adds one.'}
                </None>
              ) : (
                <div className="box">
                  <ul>
                    {c.sources.map((s) => (
                      <Row key={`${s.origin}/${s.name}`} of={s} to="sources">
                        <SourceState of={s} />
                      </Row>
                    ))}
                  </ul>
                </div>
              )}
            </Section>
          </>
        )}
      </Shown>
    </Page>
  )
}

function Row(props: { of: Source | Target; to: 'sources' | 'targets'; children: ReactNode }) {
  const c = props.of
  return (
    <li className="row line">
      <div className="grow">
        <Link to={`/connections/${props.to}/${encodeURIComponent(c.name)}`} className="strong-link">
          <bdi>{c.name}</bdi>
        </Link>{' '}
        <Label variant="secondary">{c.title || c.kind || 'of no kind'}</Label>
        <div className="small muted">
          <Whence of={c} />
        </div>
        {c.unfit && <div className="small wrong">Left out: {sentence(c.unfit)}</div>}
      </div>
      <div className="connection-state small">{props.children}</div>
    </li>
  )
}

/** Whence is where a connection is defined. */
export function Whence(props: { of: { origin: string; file?: string; line?: number; by?: string; at?: string } }) {
  const c = props.of
  if (c.origin === 'file')
    return (
      <>
        Defined in{' '}
        <span className="mono">
          {c.file}, line {c.line}
        </span>
      </>
    )
  return (
    <>
      Saved by <bdi>{c.by}</bdi> <When at={c.at} />
    </>
  )
}

export function SourceState(props: { of: Source }) {
  const s = props.of
  return (
    <>
      {s.failure ? (
        <>
          <Label variant="danger">Cannot be read</Label>{' '}
          <div>
            {sentence(s.failure)} <When at={s.failed_at} />
          </div>
        </>
      ) : s.read_at ? (
        <Label variant="success">Read</Label>
      ) : (
        <Label variant="secondary">Not read yet</Label>
      )}
      {s.read_at && (
        <div className="muted">
          {s.groups + s.users > 0 && `${s.groups.toLocaleString()} groups and ${s.users.toLocaleString()} users, `}
          as of <When at={s.read_at} />
        </div>
      )}
    </>
  )
}

const runStates: Record<string, { text: string; variant: 'success' | 'attention' | 'danger' | 'secondary' }> = {
  done: { text: 'Synced', variant: 'success' },
  objected: { text: 'Synced but for what guards object to', variant: 'attention' },
  failed: { text: 'The last run failed', variant: 'danger' },
  cancelled: { text: 'The last run was cancelled', variant: 'attention' },
  off: { text: 'The last run only planned', variant: 'secondary' },
}

function RunState(props: { of: string }) {
  const s = runStates[props.of]
  return <Label variant={s?.variant ?? 'secondary'}>{s?.text ?? 'A run is under way'}</Label>
}

export function TargetState(props: { of: Target }) {
  const t = props.of
  return (
    <>
      <span className="inline">
        {t.paused && <Label variant="attention">Paused</Label>}
        {!t.enabled && <Label variant="secondary">Turned off</Label>}
        {(t.rests_on ?? []).length > 0 && <Label variant="danger">Not synced</Label>}
        {!t.paused && t.enabled && t.apply === 'approve' && <Label>Waits for a person</Label>}
        {!t.paused && t.enabled && t.apply === 'off' && <Label variant="secondary">Plans are only shown</Label>}
        {t.run ? <RunState of={t.run.state} /> : <Label variant="secondary">Not synced yet</Label>}
      </span>
      {t.run?.error && <div className="wrap">{sentence(t.run.error)}</div>}
      <div className="muted">
        {t.organization && (
          <>
            <bdi>{t.organization}</bdi> on {t.host},{' '}
          </>
        )}
        {t.mapped === 1 ? '1 mapped team' : `${t.mapped.toLocaleString()} mapped teams`}
        {t.run && (
          <>
            , <When at={t.run.finished_at || t.run.started_at} />
          </>
        )}
      </div>
    </>
  )
}
