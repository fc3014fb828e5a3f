import { DeviceDesktopIcon } from '@primer/octicons-react'
import { Button, Label } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Page } from '../../parts/page'
import { Pager, useFilter } from '../../parts/search'
import { None, Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { may, useMe } from '../../shell/me'
import { ways } from './words'

type Session = components['schemas']['Session']

/** Sessions are of people who have signed in: an administrator sees everybody's, anybody else their own. */
export default function Sessions() {
  const me = useMe()
  const [filter, change] = useFilter()
  const cursor = filter('cursor')
  const queries = useQueryClient()
  const [ending, setEnding] = useState<Session>()
  const list = useQuery({
    queryKey: ['sessions', cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/sessions', { params: { query: { cursor: cursor || undefined, size: 50 } }, signal }),
      ),
  })
  const all = may(me.data, 'administrator')
  return (
    <Page title="Sessions" lead={all ? 'Everybody who is signed in.' : 'Where you are signed in.'}>
      <Shown of={list}>
        {(l) =>
          l.sessions.length === 0 ? (
            <None icon={DeviceDesktopIcon} title="Nobody is signed in" />
          ) : (
            <div className="box">
              <ul>
                {l.sessions.map((s) => (
                  <li key={s.id} className="row line">
                    <div className="grow">
                      <strong>
                        <bdi>{s.who}</bdi>
                      </strong>{' '}
                      {s.own && <Label variant="success">This session</Label>}{' '}
                      {s.role && (
                        <Label>
                          {s.role}
                          {s.target ? ` on ${s.target}` : ''}
                        </Label>
                      )}
                      <div className="small muted">
                        Signed in {ways[s.how] ?? s.how} <When at={s.since} />. Ends <When at={s.expires_at} /> if it is
                        not used.
                      </div>
                      <div className="small muted mono wrap">
                        <bdi>{s.subject}</bdi>
                      </div>
                    </div>
                    <Button
                      size="small"
                      variant="danger"
                      aria-label={`End the session of ${s.who}`}
                      onClick={() => setEnding(s)}
                    >
                      End
                    </Button>
                  </li>
                ))}
              </ul>
            </div>
          )
        }
      </Shown>
      <Pager cursor={cursor} next={list.data?.next} go={(c) => change({ cursor: c })} />
      {ending && (
        <Confirm
          title="End the session"
          act="End session"
          danger
          does={async () => {
            await answer(api.DELETE('/api/musterline/sessions/{id}', { params: { path: { id: ending.id } } }))
            if (ending.own) window.location.assign('/console/')
            else await queries.invalidateQueries({ queryKey: ['sessions'] })
          }}
          close={() => setEnding(undefined)}
        >
          <p>
            {ending.own ? (
              'This is the session that you use now: you are signed out.'
            ) : (
              <>
                <bdi>{ending.who}</bdi> is signed out at once, and can sign in again.
              </>
            )}
          </p>
        </Confirm>
      )}
    </Page>
  )
}
