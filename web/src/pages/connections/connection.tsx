import { Banner, Button } from '@primer/react'
import { OrganizationIcon } from '@primer/octicons-react'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { answer, api, type components, versioned } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Page, Section } from '../../parts/page'
import { Search } from '../../parts/search'
import { None, sentence, Shown, wordsOf } from '../../parts/shown'
import { When } from '../../parts/when'
import { may, useMe } from '../../shell/me'
import { offMeans, Turn } from '../settings/turn'
import { Checked, type Report } from './checked'
import { Edit, type Section as Part } from './edit'
import { type Body, FieldsShown, typedOf } from './form'
import { SourceState, TargetState, Whence } from './index'
import './connections.css'

type Connection = components['schemas']['Connection']

export function SourcePage() {
  return <One part="sources" />
}

export default function TargetPage() {
  return <One part="targets" />
}

/** One is a source or a target: how it stands, what is set, and what can be done with it. */
function One(props: { part: Part }) {
  const { part } = props
  const name = useParams().name ?? ''
  const connection = useQuery({
    queryKey: ['connection', part, name],
    queryFn: ({ signal }) =>
      versioned(
        part === 'sources'
          ? api.GET('/api/musterline/connections/sources/{source}', { params: { path: { source: name } }, signal })
          : api.GET('/api/musterline/connections/targets/{target}', { params: { path: { target: name } }, signal }),
      ),
  })
  const c = connection.data?.data
  return (
    <Page
      title={name}
      crumbs={[{ to: '/connections', text: 'Connections' }]}
      lead={
        c ? (
          <>
            {c.kind.title || 'Of no kind'} · <Whence of={c.row} />
          </>
        ) : undefined
      }
    >
      <Shown of={connection}>{(v) => <Known key={name} part={part} name={name} of={v.data} etag={v.etag} />}</Shown>
    </Page>
  )
}

function Known(props: { part: Part; name: string; of: Connection; etag: string }) {
  const { part, name, of: c } = props
  const me = useMe()
  const queries = useQueryClient()
  const go = useNavigate()
  const [params] = useSearchParams()
  const [asked, setAsked] = useState<'' | 'pause' | 'resume' | 'delete'>('')
  const [said, setSaid] = useState('')
  const [report, setReport] = useState<Report>()
  const [testing, setTesting] = useState(false)
  const [failed, setFailed] = useState<unknown>()
  const changes = may(me.data, 'administrator') && c.row.origin === 'api'
  const operates = part === 'targets' ? may(me.data, 'owner', name) : may(me.data, 'owner')
  const t = c.target
  const again = async (text: string) => {
    if (text) setSaid(text)
    await queries.invalidateQueries({ queryKey: ['connection', part, name] })
    await queries.invalidateQueries({ queryKey: ['connections'] })
  }
  const test = async () => {
    setTesting(true)
    setReport(undefined)
    setFailed(undefined)
    try {
      setReport(
        await answer(
          part === 'sources'
            ? api.POST('/api/musterline/sources/{source}/check', { params: { path: { source: name } } })
            : api.POST('/api/musterline/targets/{target}/check', { params: { path: { target: name } } }),
        ),
      )
    } catch (e) {
      setFailed(e)
    }
    setTesting(false)
  }
  const once = useRef(false)
  const wanted = params.get('check') === 'now'
  useEffect(() => {
    if (!wanted || once.current) return
    once.current = true
    void test()
  })
  return (
    <>
      <div role="status">{said && <Banner variant="success" title={said} onDismiss={() => setSaid('')} />}</div>
      {c.row.unfit && (
        <Banner
          variant="critical"
          title="It is left out of what is in force"
          description={`${sentence(c.row.unfit)} Change it here, or put back into the file what it refers to.`}
        />
      )}
      {t?.paused && (
        <Banner
          variant="warning"
          title="Paused"
          description={
            <>
              By <bdi>{t.paused.by}</bdi> <When at={t.paused.at} />: <bdi>{t.paused.reason}</bdi>. Nothing is changed
              until it is resumed.
            </>
          }
        />
      )}
      {t && !t.enabled && <Banner variant="info" title="Turned off" description={offMeans(t.members)} />}
      <Section
        title="State"
        acts={
          operates && !c.row.unfit ? (
            <span className="inline">
              <Button size="small" loading={testing} onClick={() => void test()}>
                Test connection
              </Button>
              {t && (
                <>
                  <Button size="small" onClick={() => setAsked(t.paused ? 'resume' : 'pause')}>
                    {t.paused ? 'Resume' : 'Pause'}
                  </Button>
                  <Turn size="small" target={name} enabled={t.enabled} again={again} />
                </>
              )}
            </span>
          ) : undefined
        }
      >
        <div className="stack">
          <div className="box">
            <div className="row">
              {c.source && <SourceState of={c.source} />}
              {t && <TargetState of={t} />}
            </div>
          </div>
          {testing && <p role="status">Reaching it…</p>}
          {report && <Checked of={report} />}
          {failed !== undefined && (
            <Banner variant="critical" title="It could not be tested" description={wordsOf(failed)} />
          )}
        </div>
      </Section>
      <Section title="Settings">
        {changes ? (
          <Edit
            section={part}
            name={name}
            row={c.row}
            etag={props.etag}
            fields={c.kind.fields}
            saved={() => void again('Saved. It counts from now.')}
          />
        ) : (
          <Settings of={c} />
        )}
      </Section>
      {part === 'sources' && !c.row.unfit && may(me.data, 'viewer') && <GroupSearch source={name} />}
      {changes && (
        <Section title="Delete">
          <div className="box">
            <div className="row line">
              <div className="grow">
                {part === 'sources'
                  ? 'Its groups can no longer be mapped. What is stored of its reads and the audit log stay. While something refers to it, it cannot go.'
                  : 'Its teams are no longer kept in line. Nobody is added or removed by that. Its credential is deleted, tokens and roles for it end, and the audit log stays.'}
              </div>
              <Button variant="danger" onClick={() => setAsked('delete')}>
                {part === 'sources' ? 'Delete this source' : 'Delete this connection'}
              </Button>
            </div>
          </div>
        </Section>
      )}
      {asked === 'pause' && (
        <Confirm
          title={`Pause ${name}`}
          act="Pause"
          reason="required"
          close={() => setAsked('')}
          does={async (reason) => {
            await answer(
              api.POST('/api/musterline/targets/{target}/pause', {
                params: { path: { target: name } },
                body: { reason },
              }),
            )
            await again('Paused. A run that is under way ends after the write in hand.')
          }}
        >
          No run changes anything until somebody resumes it. Plans can still be made.
        </Confirm>
      )}
      {asked === 'resume' && (
        <Confirm
          title={`Resume ${name}`}
          act="Resume"
          reason="optional"
          close={() => setAsked('')}
          does={async (reason) => {
            await answer(
              api.POST('/api/musterline/targets/{target}/resume', {
                params: { path: { target: name } },
                body: { reason: reason || undefined },
              }),
            )
            await again('Resumed. A sync is asked for.')
          }}
        >
          A sync is asked for, which does what is due. The guards look at it as ever.
        </Confirm>
      )}
      {asked === 'delete' && (
        <Confirm
          title={part === 'sources' ? `Delete ${name}` : `Delete the connection to ${name}`}
          act="Delete"
          danger
          close={() => setAsked('')}
          does={async () => {
            const header = { 'If-Match': props.etag }
            await answer(
              part === 'sources'
                ? api.DELETE('/api/musterline/sources/{name}', { params: { path: { name }, header } })
                : api.DELETE('/api/musterline/targets/{name}', { params: { path: { name }, header } }),
            )
            await queries.invalidateQueries({ queryKey: ['connections'] })
            void go('/connections')
          }}
        >
          {part === 'sources'
            ? 'It is no longer read, and its credential is deleted. Nobody is added to a team or removed from one by that.'
            : 'Its teams are no longer kept in line, and its credential is deleted. Everybody stays in the teams that they are in.'}
        </Confirm>
      )}
    </>
  )
}

/** Settings shows what can only be changed elsewhere. */
function Settings(props: { of: Connection }) {
  const c = props.of
  const body = c.row.body as Body
  const typed = typedOf(c.kind.fields, body)
  const shown = c.kind.fields.filter((f) => typed[f.key] || c.row.secrets.includes(f.key))
  const more = Object.keys(body).filter((k) => k !== 'kind' && !c.kind.fields.some((f) => f.key === k))
  return (
    <FieldsShown fields={shown} body={body} row={c.row}>
      {more.map((k) => (
        <div key={k} className="pair">
          <dt className="mono">{k}</dt>
          <dd className="wrap mono">{typeof body[k] === 'string' ? (body[k] as string) : JSON.stringify(body[k])}</dd>
        </div>
      ))}
    </FieldsShown>
  )
}

/** GroupSearch asks the source for its groups, once somebody wants to see them. */
function GroupSearch(props: { source: string }) {
  const [q, setQ] = useState('')
  const [open, setOpen] = useState(false)
  const groups = useQuery({
    queryKey: ['groups', props.source, q],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/sources/{source}/groups', {
          params: { path: { source: props.source }, query: { prefix: q || undefined, size: 20 } },
          signal,
        }),
      ),
    enabled: open,
    placeholderData: keepPreviousData,
  })
  return (
    <Section
      title="Groups"
      acts={
        open ? undefined : (
          <Button size="small" onClick={() => setOpen(true)}>
            Show groups
          </Button>
        )
      }
    >
      {!open ? (
        <p className="muted">Asks the source for its groups as they are now.</p>
      ) : (
        <>
          <div className="filter">
            <Search label="Beginning of the name" value={q} onChange={setQ} />
          </div>
          <Shown of={groups}>
            {(list) =>
              list.groups.length === 0 ? (
                <None icon={OrganizationIcon} title={q ? 'No group’s name begins with that' : 'It lists no group'}>
                  {q
                    ? 'Capital letters make no difference.'
                    : 'See whether the credential may see them, and where it looks.'}
                </None>
              ) : (
                <div className="box">
                  <ul>
                    {list.groups.map((g) => (
                      <li key={g.id} className="row line">
                        <div className="grow">
                          <strong>
                            <bdi>{g.name}</bdi>
                          </strong>
                          <div className="small muted wrap">
                            <bdi>{g.description || g.id}</bdi>
                          </div>
                        </div>
                        <div className="small muted wrap">
                          {g.teams.length > 0 ? `mapped to ${g.teams.join(', ')}` : 'not mapped'}
                        </div>
                      </li>
                    ))}
                  </ul>
                  {list.next && <div className="row small muted">There are more: write how the name begins.</div>}
                </div>
              )
            }
          </Shown>
        </>
      )}
    </Section>
  )
}
