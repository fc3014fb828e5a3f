import { BellIcon } from '@primer/octicons-react'
import { Banner, Button, FormControl, Label, Select } from '@primer/react'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { answer, api, type components, Problem } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { Pager, useFilter } from '../../parts/search'
import { Failed, None, sentence, Shown, wordsOf } from '../../parts/shown'
import { When } from '../../parts/when'
import { may, useMe } from '../../shell/me'
import { Whence } from '../connections/index'
import { Tested, useTest } from './notification-test'
import { told } from './words'
import '../connections/connections.css'

type Notification = components['schemas']['Notification']
type Notified = components['schemas']['Notified']
type Delivery = components['schemas']['Delivery']

/** Notifications are those who are told of what happens, and what was told to them. */
export default function Notifications() {
  const me = useMe()
  const [filter, change] = useFilter()
  const [cursor, to] = [filter('cursor'), filter('to')]
  const open = me.data === undefined || may(me.data, 'administrator')
  const all = useQuery({
    queryKey: ['notified'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/notified', { signal })),
    enabled: open,
  })
  const deliveries = useQuery({
    queryKey: ['deliveries', to, cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/deliveries', {
          params: { query: { notification: to || undefined, cursor: cursor || undefined, size: 20 } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: (q) => (q.state.data?.deliveries.some((d) => d.state === 'waiting') ? 5000 : false),
    enabled: open,
  })
  const test = useTest()
  const names = all.data?.notifications.map((n) => n.row.name) ?? []
  return (
    <Page
      title="Notifications"
      lead="Who is told that changes wait, that a sync failed or that a source cannot be read."
      acts={
        open && (
          <Button as={Link} to="/settings/notifications/_new" variant="primary">
            New notification
          </Button>
        )
      }
    >
      {open ? (
        <>
          <Tested of={test} />
          <Shown of={all}>
            {(list) =>
              list.notifications.length === 0 ? (
                <None icon={BellIcon} title="Nobody is told">
                  Add a webhook or a Slack channel, and it hears of what needs a person.
                </None>
              ) : (
                <div className="box section">
                  <ul>
                    {list.notifications.map((n) => (
                      <Row key={`${n.row.origin}/${n.row.name}`} of={n} events={list.events} test={test} />
                    ))}
                  </ul>
                </div>
              )
            }
          </Shown>
          {(names.length > 0 || (deliveries.data?.deliveries.length ?? 0) > 0 || to || cursor) && (
            <Section title="Messages">
              <div className="stack">
                {(names.length > 1 || to) && (
                  <FormControl>
                    <FormControl.Label>Told to</FormControl.Label>
                    <Select value={to} onChange={(e) => change({ to: e.target.value })}>
                      <Select.Option value="">All</Select.Option>
                      {[...new Set([...names, ...(to ? [to] : [])])].map((n) => (
                        <Select.Option key={n} value={n}>
                          {n}
                        </Select.Option>
                      ))}
                    </Select>
                  </FormControl>
                )}
                <Shown of={deliveries}>
                  {(list) =>
                    list.deliveries.length === 0 ? (
                      <None icon={BellIcon} title="Nothing was told yet">
                        A message appears here when there is something to tell. Tests do not.
                      </None>
                    ) : (
                      <div className="box">
                        <ul>
                          {list.deliveries.map((d) => (
                            <Message key={d.id} of={d} />
                          ))}
                        </ul>
                      </div>
                    )
                  }
                </Shown>
                <Pager cursor={cursor} next={deliveries.data?.next} go={(c) => change({ cursor: c })} />
              </div>
            </Section>
          )}
        </>
      ) : (
        <Failed error={new Problem(403, 'forbidden', 'Administrators say who is told of what happens', '', '')} />
      )}
    </Page>
  )
}

function Row(props: { of: Notification; events: Notified['events']; test: ReturnType<typeof useTest> }) {
  const { of: n, test } = props
  const name = n.row.name
  return (
    <li className="row line">
      <div className="grow">
        <Link to={`/settings/notifications/${encodeURIComponent(name)}`} className="strong-link">
          <bdi>{name}</bdi>
        </Link>{' '}
        <Label variant="secondary">{n.title || n.kind || 'of no kind'}</Label> <State of={n} />
        {!n.row.unfit && <div className="small">{told(n.events, props.events, n.targets)}</div>}
        {n.row.unfit && <div className="small wrong">Left out: {sentence(n.row.unfit)}</div>}
        {n.off && (
          <div className="small wrong">
            Turned off <When at={n.off.at} />: {n.off.why}. A test that it takes turns it on again.
          </div>
        )}
        <div className="small muted">
          <Whence of={n.row} />
        </div>
      </div>
      {!n.row.unfit && (
        <Button
          size="small"
          aria-label={`Send a test to ${name}`}
          loading={test.busy === name}
          onClick={() => void test.run(name)}
        >
          Send a test
        </Button>
      )}
    </li>
  )
}

function State(props: { of: Notification }) {
  const n = props.of
  if (n.row.unfit) return <Label variant="danger">left out</Label>
  if (n.off) return <Label variant="danger">off</Label>
  if (n.last?.state === 'failed') return <Label variant="danger">last message failed</Label>
  if (n.last?.state === 'waiting' && n.last.attempts > 0) return <Label variant="attention">last message waits</Label>
  return null
}

/** Message is one message: what it says, to whom, and whether it has arrived. */
function Message(props: { of: Delivery }) {
  const d = props.of
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const retry = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await answer(api.POST('/api/musterline/deliveries/{delivery}/retry', { params: { path: { delivery: d.id } } }))
      await queries.invalidateQueries({ queryKey: ['deliveries'] })
    } catch (e) {
      setError(e)
    }
    setBusy(false)
  }
  return (
    <li className="row line">
      <div className="grow">
        <Arrived of={d} /> <bdi>{d.sentence || d.type}</bdi>
        {d.trouble && (
          <div className="small wrong">
            {sentence(d.trouble)}
            {d.state === 'waiting' && d.attempts > 0 && (
              <>
                {' '}
                Tried {d.attempts === 1 ? 'once' : `${d.attempts} times`}; the next try is <When at={d.next_at} />.
              </>
            )}
          </div>
        )}
        <div className="small muted">
          To <bdi>{d.notification}</bdi> <When at={d.made_at} />
          {d.status ? `, last answer ${d.status}` : ''} · <span className="mono wrap">{d.id}</span>
        </div>
        {error !== undefined && (
          <Banner variant="critical" title="It is not tried again" description={wordsOf(error)} />
        )}
      </div>
      {(d.state === 'failed' || (d.state === 'waiting' && d.attempts > 0)) && (
        <Button size="small" loading={busy} aria-label={`Try again: ${d.id}`} onClick={() => void retry()}>
          Try again
        </Button>
      )}
    </li>
  )
}

function Arrived(props: { of: Delivery }) {
  switch (props.of.state) {
    case 'delivered':
      return <Label variant="success">delivered</Label>
    case 'failed':
      return <Label variant="danger">failed</Label>
    default:
      return <Label variant="attention">waiting</Label>
  }
}
