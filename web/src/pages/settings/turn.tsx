import { Button, FormControl, Radio, RadioGroup } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api, Problem, versioned } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Shown, Waiting } from '../../parts/shown'

/** offMeans is what it means for an organization that it was turned off so. */
export function offMeans(members: string | undefined): string {
  return members === 'remove'
    ? 'Its teams are no longer kept in line, and members that Musterline brought leave with the next sync.'
    : 'Its teams are no longer kept in line, and their members stay.'
}

/** Turn is the button that turns an organization off or on. Whoever looks at an old page decides about how it is now, and never over what somebody else has decided meanwhile. */
export function Turn(props: {
  target: string
  enabled: boolean
  size?: 'small'
  again: (text: string) => Promise<unknown> | undefined
}) {
  const [asks, setAsks] = useState<'on' | 'off'>()
  return (
    <>
      <Button size={props.size} onClick={() => setAsks(props.enabled ? 'off' : 'on')}>
        {props.enabled ? 'Turn off' : 'Turn on'}
      </Button>
      {asks && (
        <Asks
          target={props.target}
          on={asks === 'on'}
          close={() => {
            setAsks(undefined)
            void props.again('')
          }}
          done={(text) => void props.again(text)}
        />
      )}
    </>
  )
}

function Asks(props: { target: string; on: boolean; close: () => void; done: (text: string) => void }) {
  const { target, on } = props
  const queries = useQueryClient()
  const [members, setMembers] = useState<'keep' | 'remove'>('keep')
  const is = useQuery({
    queryKey: ['enabled', target],
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: ({ signal }) =>
      versioned(api.GET('/api/musterline/targets/{target}/enabled', { params: { path: { target } }, signal })),
  })
  const now = is.data?.data
  const act = on ? 'Turn on' : 'Turn off'
  const does = async () => {
    try {
      await answer(
        api.PUT('/api/musterline/targets/{target}/enabled', {
          params: { path: { target }, header: { 'If-Match': is.data?.etag ?? '' } },
          body: on ? { enabled: true } : { enabled: false, members },
        }),
      )
    } catch (e) {
      if (e instanceof Problem && e.status === 412) await is.refetch()
      throw e
    }
    await queries.invalidateQueries({ queryKey: ['status'] })
    props.done(on ? 'Turned on.' : 'Turned off.')
  }
  return (
    <Confirm
      title={`${act} ${target}`}
      act={now && now.enabled !== on ? act : undefined}
      danger={!on}
      does={does}
      close={props.close}
    >
      <Shown of={is} waiting={<Waiting rows={2} />}>
        {({ data }) =>
          data.enabled === on ? (
            <p>
              {on
                ? 'Somebody else has turned it on meanwhile.'
                : `Somebody else has turned it off meanwhile. ${offMeans(data.members)}`}{' '}
              The audit log says who.
            </p>
          ) : on ? (
            <p>
              Its teams can be mapped again. Mappings that were taken away when it was turned off do not come back by
              themselves.
            </p>
          ) : (
            <div className="stack">
              <p>
                Its teams are no longer kept in line. Mappings that were made here or by the API are taken away; those
                of the configuration file stay there.
              </p>
              <RadioGroup name="members" onChange={(v) => setMembers(v === 'remove' ? 'remove' : 'keep')}>
                <RadioGroup.Label>What becomes of the members?</RadioGroup.Label>
                <FormControl>
                  <Radio value="keep" checked={members === 'keep'} />
                  <FormControl.Label>They stay in their teams</FormControl.Label>
                </FormControl>
                <FormControl>
                  <Radio value="remove" checked={members === 'remove'} />
                  <FormControl.Label>Those that Musterline brought leave</FormControl.Label>
                  <FormControl.Caption>The next sync removes them. Guards look at it as ever.</FormControl.Caption>
                </FormControl>
              </RadioGroup>
            </div>
          )
        }
      </Shown>
    </Confirm>
  )
}
