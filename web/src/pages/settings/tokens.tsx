import { KeyIcon } from '@primer/octicons-react'
import { Banner, Button, Dialog, FormControl, Label, Select, TextInput } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Copy } from '../../parts/copy'
import { Page } from '../../parts/page'
import { Pager, useFilter } from '../../parts/search'
import { None, Refused, Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { roles } from './words'

type Token = components['schemas']['Token']

/** Tokens are Musterline's own: for programs, and for the command line of somebody elsewhere. */
export default function Tokens() {
  const [filter, change] = useFilter()
  const cursor = filter('cursor')
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<Token>()
  const [ending, setEnding] = useState<Token>()
  const tokens = useQuery({
    queryKey: ['tokens', cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/tokens', { params: { query: { cursor: cursor || undefined, size: 50 } }, signal }),
      ),
  })
  const again = () => queries.invalidateQueries({ queryKey: ['tokens'] })
  return (
    <Page
      title="Tokens"
      lead="A token opens Musterline's own API and its command line to a program. Its text is shown once."
      acts={
        <Button variant="primary" onClick={() => setMaking(true)}>
          New token
        </Button>
      }
    >
      <div role="status" className={made ? 'spaced' : undefined}>
        {made?.text && (
          <Banner
            variant="success"
            title={`The token ${made.name} is made`}
            description={
              <>
                <p>Copy it now: nobody can read it again.</p>
                <span className="secret">
                  <code className="mono wrap">{made.text}</code> <Copy text={made.text} label="Copy the token" />
                </span>
              </>
            }
            onDismiss={() => setMade(undefined)}
          />
        )}
      </div>
      <Shown of={tokens}>
        {(list) =>
          list.tokens.length === 0 ? (
            <None icon={KeyIcon} title="There are no tokens">
              Make one for a program that shall ask this server.
            </None>
          ) : (
            <div className="box">
              <ul>
                {list.tokens.map((t) => (
                  <li key={t.id} className="row line">
                    <div className="grow">
                      <strong>
                        <bdi>{t.name}</bdi>
                      </strong>{' '}
                      <Label>{t.role}</Label> {t.target ? <Label variant="secondary">{t.target}</Label> : null}{' '}
                      <State of={t} />
                      <div className="small muted">
                        Made by <bdi>{t.created_by || 'somebody'}</bdi> <When at={t.created_at} />, last used{' '}
                        <When at={t.last_used_at} />
                        {t.revoked_at ? (
                          <>
                            , revoked by <bdi>{t.revoked_by}</bdi> <When at={t.revoked_at} />
                          </>
                        ) : t.expires_at ? (
                          <>
                            , ends <When at={t.expires_at} />
                          </>
                        ) : (
                          ', never ends'
                        )}
                      </div>
                    </div>
                    {!over(t) && (
                      <Button
                        size="small"
                        variant="danger"
                        aria-label={`Revoke ${t.name}`}
                        onClick={() => setEnding(t)}
                      >
                        Revoke
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
            </div>
          )
        }
      </Shown>
      <Pager cursor={cursor} next={tokens.data?.next} go={(c) => change({ cursor: c })} />
      {making && (
        <Make
          close={() => setMaking(false)}
          made={(t) => {
            setMaking(false)
            setMade(t)
            void again()
          }}
        />
      )}
      {ending && (
        <Confirm
          title={`Revoke ${ending.name}`}
          act="Revoke"
          danger
          does={async () => {
            await answer(api.DELETE('/api/musterline/tokens/{token}', { params: { path: { token: ending.id } } }))
            await again()
          }}
          close={() => setEnding(undefined)}
        >
          <p>Whatever uses it is refused at once. A token that was revoked stays so.</p>
        </Confirm>
      )}
    </Page>
  )
}

function over(t: Token): boolean {
  return !!t.revoked_at || (!!t.expires_at && new Date(t.expires_at) <= new Date())
}

function State(props: { of: Token }) {
  if (props.of.revoked_at) return <Label variant="danger">revoked</Label>
  if (over(props.of)) return <Label variant="attention">expired</Label>
  return null
}

const day = 24 * 3600 * 1000

function Make(props: { close: () => void; made: (t: Token) => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<'viewer' | 'maintainer' | 'owner' | 'administrator'>('viewer')
  const [target, setTarget] = useState('')
  const [days, setDays] = useState('30')
  const [error, setError] = useState<unknown>()
  const [lacks, setLacks] = useState(false)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const configured = useQuery({
    queryKey: ['configured'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const make = async () => {
    if (!name.trim()) {
      setLacks(true)
      field.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    try {
      props.made(
        await answer(
          api.POST('/api/musterline/tokens', {
            body: {
              name: name.trim(),
              role,
              target: role === 'administrator' ? undefined : target || undefined,
              expires_at: days ? new Date(Date.now() + Number(days) * day).toISOString() : undefined,
            },
          }),
        ),
      )
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title="New token"
      onClose={props.close}
      initialFocusRef={field}
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>Cancel</Button>
          <Button variant="primary" loading={busy} onClick={() => void make()}>
            Make token
          </Button>
        </Dialog.Footer>
      )}
    >
      <div className="stack">
        <FormControl required>
          <FormControl.Label>Name</FormControl.Label>
          <TextInput
            block
            ref={field}
            value={name}
            maxLength={100}
            onChange={(e) => {
              setName(e.target.value)
              setLacks(false)
            }}
            onKeyDown={(e) => e.key === 'Enter' && void make()}
          />
          <FormControl.Caption>By which it is known when it is to be revoked.</FormControl.Caption>
          {lacks && <FormControl.Validation variant="error">A token needs a name.</FormControl.Validation>}
        </FormControl>
        <FormControl>
          <FormControl.Label>Role</FormControl.Label>
          <Select block value={role} onChange={(e) => setRole(e.target.value as typeof role)}>
            {roles.map((r) => (
              <Select.Option key={r.name} value={r.name}>
                {r.name}
              </Select.Option>
            ))}
          </Select>
          <FormControl.Caption>May {roles.find((r) => r.name === role)?.may}.</FormControl.Caption>
        </FormControl>
        <FormControl disabled={role === 'administrator'}>
          <FormControl.Label>Organization</FormControl.Label>
          <Select block value={role === 'administrator' ? '' : target} onChange={(e) => setTarget(e.target.value)}>
            <Select.Option value="">All</Select.Option>
            {(configured.data?.targets ?? []).map((t) => (
              <Select.Option key={t.name} value={t.name}>
                {t.name}
              </Select.Option>
            ))}
          </Select>
          {role === 'administrator' && (
            <FormControl.Caption>An administrator is one of the whole server.</FormControl.Caption>
          )}
        </FormControl>
        <FormControl>
          <FormControl.Label>Ends</FormControl.Label>
          <Select block value={days} onChange={(e) => setDays(e.target.value)}>
            <Select.Option value="7">In 7 days</Select.Option>
            <Select.Option value="30">In 30 days</Select.Option>
            <Select.Option value="90">In 90 days</Select.Option>
            <Select.Option value="365">In a year</Select.Option>
            <Select.Option value="">Never</Select.Option>
          </Select>
        </FormControl>
        <Refused error={error} />
      </div>
    </Dialog>
  )
}
