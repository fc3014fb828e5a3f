import { SearchIcon } from '@primer/octicons-react'
import {
  Banner,
  Button,
  Dialog,
  FormControl,
  Label,
  Radio,
  RadioGroup,
  Select,
  SkeletonBox,
  Textarea,
  TextInput,
} from '@primer/react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { useDelayed } from '../../parts/search'
import { Refused, sentence, Shown } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'

type Host = components['schemas']['PersonHost']
type Effect = components['schemas']['LinkEffect']
type Stranger = components['schemas']['Stranger']

/** LinkDialog chooses an account for a user, shows what that does to which team, and says it with a reason. */
export function LinkDialog(props: {
  user: string
  name: string
  hosts: Host[]
  close: () => void
  done: (login: string) => void
}) {
  const targets = props.hosts.flatMap((h) => h.targets.map((t) => ({ host: h.host, target: t })))
  const [target, setTarget] = useState(targets[0]?.target ?? '')
  const host = targets.find((t) => t.target === target)?.host ?? ''
  const [typed, setTyped] = useState('')
  const q = useDelayed(typed)
  const [chosen, setChosen] = useState<Stranger>()
  const [reason, setReason] = useState('')
  const [lacks, setLacks] = useState('')
  const [effect, setEffect] = useState<Effect>()
  useUnsaved(reason !== '')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const reasonField = useRef<HTMLTextAreaElement>(null)
  const searchField = useRef<HTMLInputElement>(null)
  const saveButton = useRef<HTMLButtonElement>(null)
  const accounts = useQuery({
    queryKey: ['accounts-to-link', target, q],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/targets/{target}/accounts', {
          params: { path: { target }, query: { q: q || undefined, size: 8 } },
          signal,
        }),
      ),
    enabled: target !== '' && !effect,
  })
  const account = chosen ? `${host}/${chosen.account}` : ''
  const look = async () => {
    if (!chosen) {
      setLacks('account')
      searchField.current?.focus()
      return
    }
    if (!reason.trim()) {
      setLacks('reason')
      reasonField.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    try {
      setEffect(await answer(api.POST('/api/musterline/links/preview', { body: { user: props.user, account } })))
    } catch (e) {
      setError(e)
    }
    setBusy(false)
  }
  useEffect(() => {
    if (effect) saveButton.current?.focus()
  }, [effect])
  const save = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await answer(api.POST('/api/musterline/links', { body: { user: props.user, account, reason: reason.trim() } }))
      props.done(chosen?.login ?? account)
      props.close()
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={`Link ${props.name}`}
      subtitle={
        effect
          ? `What comes of linking to ${chosen?.login ?? ''}`
          : 'Whose account it is, said by hand, wins over everything that is found.'
      }
      width="large"
      onClose={props.close}
      initialFocusRef={searchField}
      renderFooter={() => (
        <Dialog.Footer>
          {effect ? (
            <>
              <Button onClick={() => setEffect(undefined)}>Back</Button>
              <Button ref={saveButton} variant="primary" loading={busy} onClick={() => void save()}>
                Link to {chosen?.login ?? 'the account'}
              </Button>
            </>
          ) : (
            <>
              <Button onClick={props.close}>Cancel</Button>
              <Button variant="primary" loading={busy} onClick={() => void look()}>
                See what it does
              </Button>
            </>
          )}
        </Dialog.Footer>
      )}
    >
      <div className="stack">
        {effect ? (
          <Effects of={effect} />
        ) : (
          <>
            {targets.length > 1 && (
              <FormControl>
                <FormControl.Label>Organization</FormControl.Label>
                <Select
                  value={target}
                  onChange={(e) => {
                    setTarget(e.target.value)
                    setChosen(undefined)
                  }}
                >
                  {targets.map((t) => (
                    <Select.Option key={t.target} value={t.target}>
                      {t.target}
                    </Select.Option>
                  ))}
                </Select>
              </FormControl>
            )}
            <FormControl>
              <FormControl.Label>Find the account</FormControl.Label>
              <TextInput
                ref={searchField}
                block
                type="search"
                leadingVisual={SearchIcon}
                placeholder="Login or number"
                value={typed}
                onChange={(e) => setTyped(e.target.value)}
              />
              {lacks === 'account' && !chosen && (
                <FormControl.Validation variant="error">Choose an account.</FormControl.Validation>
              )}
            </FormControl>
            <Shown of={accounts} waiting={<SkeletonBox height="160px" />}>
              {(list) =>
                list.accounts.length === 0 ? (
                  <p className="muted">
                    {q
                      ? 'No member of the organization has such a login.'
                      : 'No member is known: no run has read the organization yet.'}
                  </p>
                ) : (
                  <RadioGroup
                    name="account"
                    onChange={(value) => setChosen(list.accounts.find((a) => a.account === value))}
                  >
                    <RadioGroup.Label>
                      {list.total > list.accounts.length
                        ? `The first ${list.accounts.length} of ${list.total.toLocaleString()} members`
                        : 'Members'}
                    </RadioGroup.Label>
                    {list.accounts.map((a) => (
                      <FormControl key={a.account}>
                        <Radio value={a.account} checked={chosen?.account === a.account} />
                        <FormControl.Label>
                          <bdi>{a.login}</bdi>
                        </FormControl.Label>
                        <FormControl.Caption>
                          {a.users.length > 0 ? `linked to ${a.users.join(', ')}` : 'no user is linked to it'}
                        </FormControl.Caption>
                      </FormControl>
                    ))}
                  </RadioGroup>
                )
              }
            </Shown>
            <Reason
              area={reasonField}
              value={reason}
              onChange={setReason}
              lacks={lacks === 'reason' && !reason.trim()}
              caption="How you know it. The audit log keeps it."
            />
          </>
        )}
        <Refused error={error} />
      </div>
    </Dialog>
  )
}

/** UnlinkDialog shows what it does to take a link by hand back, and does it. */
export function UnlinkDialog(props: { user: string; name: string; host: string; close: () => void; done: () => void }) {
  const [reason, setReason] = useState('')
  const [lacks, setLacks] = useState(false)
  useUnsaved(reason !== '')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const field = useRef<HTMLTextAreaElement>(null)
  const effect = useQuery({
    queryKey: ['unlink-effect', props.user, props.host],
    queryFn: ({ signal }) =>
      answer(
        api.POST('/api/musterline/links/preview', {
          body: { user: props.user, account: props.host, remove: true },
          signal,
        }),
      ),
    gcTime: 0,
    staleTime: 0,
  })
  const go = async () => {
    if (!reason.trim()) {
      setLacks(true)
      field.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    try {
      await answer(
        api.POST('/api/musterline/links/remove', {
          body: { user: props.user, host: props.host, reason: reason.trim() },
        }),
      )
      props.done()
      props.close()
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={`Take back the link of ${props.name}`}
      width="large"
      onClose={props.close}
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>Cancel</Button>
          <Button variant="danger" loading={busy} onClick={() => void go()}>
            Take back
          </Button>
        </Dialog.Footer>
      )}
    >
      <div className="stack">
        <p>What was said by hand no longer counts. What other evidence says counts again from the next sync.</p>
        <Shown of={effect} waiting={<SkeletonBox height="80px" aria-label="Loading" />}>
          {(e) => <Effects of={e} />}
        </Shown>
        <Reason
          area={field}
          value={reason}
          onChange={setReason}
          lacks={lacks && !reason.trim()}
          caption="The audit log keeps it."
        />
        <Refused error={error} />
      </div>
    </Dialog>
  )
}

function Reason(props: {
  area: RefObject<HTMLTextAreaElement | null>
  value: string
  onChange: (v: string) => void
  lacks: boolean
  caption: string
}) {
  const { area, value, onChange } = props
  return (
    <FormControl required>
      <FormControl.Label>Reason</FormControl.Label>
      <FormControl.Caption>{props.caption}</FormControl.Caption>
      <Textarea ref={area} block rows={2} maxLength={500} value={value} onChange={(e) => onChange(e.target.value)} />
      {props.lacks && <FormControl.Validation variant="error">Give a reason.</FormControl.Validation>}
    </FormControl>
  )
}

const does: Record<string, { sign: string; text: string; kind: string }> = {
  add: { sign: '+', text: 'joins', kind: 'add' },
  remove: { sign: '−', text: 'leaves', kind: 'remove' },
  cancel: { sign: '−', text: 'loses the invitation to', kind: 'remove' },
  update: { sign: '~', text: 'gets another role in', kind: 'update' },
}

/** Effects says who would come and go in which team. */
function Effects(props: { of: Effect }) {
  return (
    <div className="stack" role="status">
      {props.of.notes.map((n) => (
        <Banner key={n} variant="warning" title={n} />
      ))}
      {props.of.targets.map((t) => (
        <section key={t.target} aria-label={t.target}>
          <h3 className="effect-title">
            <bdi>{t.target}</bdi> {t.paused && <Label variant="attention">paused</Label>}
            {t.apply === 'approve' && <Label>waits for a person</Label>}
            {t.apply === 'off' && <Label>plans are only shown</Label>}
          </h3>
          {t.trouble ? (
            <p>{sentence(t.trouble)}</p>
          ) : (
            <>
              {t.changes.length === 0 && t.dropped.length === 0 && t.held.length === 0 && (
                <p className="muted">Nothing changes in this organization.</p>
              )}
              {t.changes.map((c, i) => (
                <Line key={i} act={c.act}>
                  <bdi>{c.account.login}</bdi> {does[c.act]?.text ?? c.act} <bdi>{c.team}</bdi>
                  {c.role === 'maintainer' && ' as maintainer'}
                  {c.why && <span className="small muted"> ({c.why})</span>}
                  {c.objected.length > 0 && (
                    <span className="small"> – stopped by {c.objected.join(', ')} until somebody approves</span>
                  )}
                </Line>
              ))}
              {t.dropped.map((c, i) => (
                <Line key={i} act="">
                  <bdi>{c.account.login}</bdi> no longer {does[c.act]?.text ?? c.act} <bdi>{c.team}</bdi>, which was
                  planned
                </Line>
              ))}
              {t.held.map((h, i) => (
                <Line key={i} act="">
                  held in <bdi>{h.team}</bdi>: {h.message}
                </Line>
              ))}
            </>
          )}
        </section>
      ))}
    </div>
  )
}

function Line(props: { act: string; children: ReactNode }) {
  const d = does[props.act]
  return (
    <div className={`change ${d?.kind ?? ''}`}>
      <span className="sign" aria-hidden="true">
        {d?.sign ?? '·'}
      </span>
      <span>{props.children}</span>
    </div>
  )
}
