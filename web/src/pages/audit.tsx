import './plan/plan.css'

import { ChevronDownIcon, DownloadIcon, LogIcon, VerifiedIcon } from '@primer/octicons-react'
import { ActionList, ActionMenu, Banner, Button, FormControl, Label, Select, TextInput } from '@primer/react'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { answer, api, type components, type paths, Problem } from '../api/client'
import { Page } from '../parts/page'
import { Pager, Search, useFilter } from '../parts/search'
import { None, Shown, wordsOf } from '../parts/shown'
import { Moment } from '../parts/when'
import { may, useMe } from '../shell/me'
import { Result, resultWords } from './plan/change'
import { stop } from './plan/objections'

type Entry = components['schemas']['JournalEntry']
type Detail = components['schemas']['Detail']

type Query = NonNullable<paths['/api/musterline/audit/journal']['get']['parameters']['query']>

/** The kinds of entries, in words, in the order in which people look for them. */
const kinds: Record<NonNullable<Query['kind']>, string> = {
  outcome: 'Writes, and how they ended',
  intent: 'Intents',
  waiver: 'Approvals',
  mapping: 'Mappings',
  link: 'Links',
  pause: 'Pauses',
  resume: 'Resumes',
  cancel: 'Cancelled runs',
  configured: 'Configuration',
  role: 'Roles',
  token: 'Tokens',
  credential: 'Credentials',
  session: 'Sessions',
  'sign-in': 'Sign-in links',
  found: 'Members found as justified',
  forget: 'Rows that left the ledger',
  restore: 'Rows put back by an undo',
  close: 'Settled intents',
  checkpoint: 'Checkpoints',
}

/** What was done, in words. */
const acts: Record<NonNullable<Query['act']>, string> = {
  add: 'Added to a team',
  remove: 'Removed from a team',
  update: 'Role in a team changed',
  cancel: 'Invitation cancelled',
  create: 'Created',
  change: 'Changed',
  delete: 'Deleted',
  'turn-on': 'Turned on',
  'turn-off': 'Turned off',
  state: 'Link said by hand',
  unstate: 'Link taken back',
  assign: 'Role given',
  withdraw: 'Role taken back',
  revoke: 'Revoked',
  save: 'Credential saved',
  begin: 'Signed in',
  end: 'Signed out',
  use: 'Sign-in link used',
}

const results: Record<NonNullable<Query['result']>, true> = {
  done: true,
  already: true,
  pending: true,
  failed: true,
  skipped: true,
  seen: true,
  'not-done': true,
}

/** Audit is the log of who did what and why, the newest first. */
export default function Audit() {
  const [filter, set] = useFilter()
  const keys = ['q', 'target', 'team', 'account', 'run', 'kind', 'act', 'result', 'actor', 'since', 'until'] as const
  const chosen = Object.fromEntries(keys.map((k) => [k, filter(k) || undefined])) as Record<
    (typeof keys)[number],
    string | undefined
  >
  const cursor = filter('cursor')
  const configured = useQuery({
    queryKey: ['configured'],
    staleTime: 60_000,
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const journal = useQuery({
    queryKey: ['audit', chosen, cursor],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/audit/journal', {
          params: { query: { ...(chosen as Query), cursor: cursor || undefined, size: 50 } },
          signal,
        }),
      ),
  })
  const some = keys.some((k) => chosen[k])
  const clear = () => set(Object.fromEntries(keys.map((k) => [k, ''])))
  const targets = [
    ...new Set([...(configured.data?.targets ?? []).map((t) => t.name), ...(chosen.target ? [chosen.target] : [])]),
  ]
  return (
    <Page
      title="Audit log"
      lead="Who did what and why, written before the act. Nothing in it can be changed."
      acts={
        <>
          <Export chosen={chosen} some={some} />
          <Verify />
        </>
      }
    >
      <div className="filter filter-records">
        <Search label="Find a login, a team, or who asked" value={chosen.q ?? ''} onChange={(q) => set({ q })} />
        <Select aria-label="Kind" value={chosen.kind ?? ''} onChange={(e) => set({ kind: e.target.value })}>
          <Select.Option value="">All entries</Select.Option>
          {Object.entries(kinds).map(([name, text]) => (
            <Select.Option key={name} value={name}>
              {text}
            </Select.Option>
          ))}
        </Select>
        <Select aria-label="Organization" value={chosen.target ?? ''} onChange={(e) => set({ target: e.target.value })}>
          <Select.Option value="">All organizations</Select.Option>
          {targets.map((name) => (
            <Select.Option key={name} value={name}>
              {name}
            </Select.Option>
          ))}
        </Select>
      </div>
      <More chosen={chosen} set={set} open={keys.some((k) => !['q', 'kind', 'target'].includes(k) && !!chosen[k])} />
      <Shown of={journal}>
        {(l) =>
          l.entries.length === 0 ? (
            some ? (
              <None icon={LogIcon} title="No entry fits" act={<Button onClick={clear}>Show all entries</Button>}>
                The audit log has no entry of this sort.
              </None>
            ) : (
              <None icon={LogIcon} title="The audit log is empty">
                The first act that changes something begins it, such as a sync.
              </None>
            )
          ) : (
            <>
              <ol className="box entries">
                {l.entries.map((e) => (
                  <Row key={e.seq} of={e} />
                ))}
              </ol>
              <Pager cursor={cursor} next={l.next} go={(c) => set({ cursor: c })} />
            </>
          )
        }
      </Shown>
    </Page>
  )
}

/** More are the filters that are needed less often. */
function More(props: {
  chosen: Record<string, string | undefined>
  set: (changes: Record<string, string>) => void
  open: boolean
}) {
  const { chosen, set } = props
  const [open, setOpen] = useState(props.open)
  return (
    <details className="more" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>
        <ChevronDownIcon className="fold-sign" /> More filters
      </summary>
      <div className="more-fields">
        <Word label="Team" caption="A slug or an id" name="team" {...props} />
        <Word label="Person or account" caption="A login, a number, or source/user" name="account" {...props} />
        <Word label="Asked by" caption="The name as entries have it" name="actor" {...props} />
        <Word label="Run" caption="Its number" name="run" {...props} />
        <FormControl>
          <FormControl.Label>Result</FormControl.Label>
          <Select block value={chosen.result ?? ''} onChange={(e) => set({ result: e.target.value })}>
            <Select.Option value="">Any</Select.Option>
            {Object.keys(results).map((r) => (
              <Select.Option key={r} value={r}>
                {resultWords(r)}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
        <FormControl>
          <FormControl.Label>Act</FormControl.Label>
          <Select block value={chosen.act ?? ''} onChange={(e) => set({ act: e.target.value })}>
            <Select.Option value="">Any</Select.Option>
            {Object.entries(acts).map(([name, text]) => (
              <Select.Option key={name} value={name}>
                {text}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
        <Day label="From" name="since" {...props} />
        <Day label="Before" name="until" {...props} />
      </div>
    </details>
  )
}

type Field = {
  label: string
  name: string
  chosen: Record<string, string | undefined>
  set: (changes: Record<string, string>) => void
}

/** Word is a filter that takes effect with Enter, or when the field is left. */
function Word(props: Field & { caption: string }) {
  const value = props.chosen[props.name] ?? ''
  const [typed, setTyped] = useState(value)
  const [from, setFrom] = useState(value)
  if (from !== value) {
    setFrom(value)
    setTyped(value)
  }
  const take = () => {
    if (typed.trim() !== value) props.set({ [props.name]: typed.trim() })
  }
  return (
    <FormControl>
      <FormControl.Label>{props.label}</FormControl.Label>
      <FormControl.Caption>{props.caption}</FormControl.Caption>
      <TextInput
        block
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        onBlur={take}
        onKeyDown={(e) => {
          if (e.key === 'Enter') take()
        }}
      />
    </FormControl>
  )
}

/** Day is a moment in the reader's zone. */
function Day(props: Field) {
  const value = props.chosen[props.name] ?? ''
  return (
    <FormControl>
      <FormControl.Label>{props.label}</FormControl.Label>
      <TextInput
        block
        type="datetime-local"
        value={local(value)}
        onChange={(e) => {
          const at = new Date(e.target.value)
          props.set({ [props.name]: Number.isNaN(at.getTime()) ? '' : at.toISOString() })
        }}
      />
    </FormControl>
  )
}

/** local writes a moment as a field of the browser wants it: in the reader's zone. */
function local(value: string): string {
  const at = new Date(value)
  if (!value || Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function Row(props: { of: Entry }) {
  const { of: e } = props
  return (
    <li className="row entry">
      <details>
        <summary>
          <ChevronDownIcon className="fold-sign" />
          <span className="entry-words">
            <bdi className="wrap">{stop(e.said)}</bdi>
            <span className="small muted inline">
              <span>Entry {e.seq.toLocaleString()}</span>
              <Moment at={e.at} />
              <Label variant="secondary">{e.kind}</Label>
              <Result of={e.result} />
            </span>
          </span>
        </summary>
        <dl className="about entry-body">
          <Fact name="Asked for by" value={e.actor?.requester} />
          <Fact name="Set off" value={e.actor?.trigger} />
          <Fact name="Acted under" value={e.actor?.credential} />
          {e.target && (
            <>
              <dt>Organization</dt>
              <dd>
                <Link to={`/organizations/${encodeURIComponent(e.target)}/teams`}>
                  <bdi>{e.target}</bdi>
                </Link>
              </dd>
            </>
          )}
          {e.team && (
            <>
              <dt>Team</dt>
              <dd>
                {e.team_slug && e.target ? (
                  <Link to={`/organizations/${encodeURIComponent(e.target)}/teams/${encodeURIComponent(e.team_slug)}`}>
                    <bdi>{e.team_slug}</bdi>
                  </Link>
                ) : (
                  <bdi>{e.team}</bdi>
                )}{' '}
                <span className="muted">{e.team}</span>
              </dd>
            </>
          )}
          <Fact name="Account" value={e.account && [e.login, e.account].filter(Boolean).join(' · ')} />
          {e.run && (
            <>
              <dt>Run</dt>
              <dd>
                <Link to={`/runs/${e.run}`}>Run {e.run}</Link>
              </dd>
            </>
          )}
          {e.details.map((d, i) => (
            <Line key={i} of={d} />
          ))}
          {(e.left ?? 0) > 0 && (
            <>
              <dt>And more</dt>
              <dd className="muted">{(e.left ?? 0).toLocaleString()} lines, which stand in the export.</dd>
            </>
          )}
          <dt>Linked by</dt>
          <dd className="mono small wrap muted">{e.mac}</dd>
        </dl>
      </details>
    </li>
  )
}

function Fact(props: { name: string; value: string | undefined }) {
  if (!props.value) return null
  return (
    <>
      <dt>{props.name}</dt>
      <dd>
        <bdi className="wrap">{props.value}</bdi>
      </dd>
    </>
  )
}

function Line(props: { of: Detail }) {
  const { of: d } = props
  const change = d.before !== undefined || d.after !== undefined
  return (
    <>
      <dt className="wrap">
        <bdi>{d.label}</bdi>
      </dt>
      <dd>
        {change ? (
          d.before === d.after ? (
            <bdi className="wrap">{d.after}</bdi>
          ) : (
            <>
              <span className="was">
                {d.before ? <del className="wrap">{d.before}</del> : <span className="muted">nothing</span>}
              </span>{' '}
              <span role="img" aria-label="became">
                →
              </span>{' '}
              {d.after ? <ins className="wrap">{d.after}</ins> : <span className="muted">nothing</span>}
            </>
          )
        ) : (
          <bdi className="wrap">{d.value}</bdi>
        )}
      </dd>
    </>
  )
}

/** Export leads to the whole record, or what the filter chooses of it, as files. */
function Export(props: { chosen: Record<string, string | undefined>; some: boolean }) {
  const to = (format: string) => {
    const query = new URLSearchParams({ format })
    for (const [k, v] of Object.entries(props.chosen)) if (v) query.set(k, v)
    return `/api/musterline/audit/export?${query}`
  }
  return (
    <ActionMenu>
      <ActionMenu.Button leadingVisual={DownloadIcon}>Export</ActionMenu.Button>
      <ActionMenu.Overlay width="medium" align="end">
        <ActionList>
          <ActionList.LinkItem href={to('csv')} download>
            CSV, for spreadsheets
            <ActionList.Description variant="block">
              {props.some ? 'The entries that the filter chooses' : 'The whole audit log'}, the oldest first
            </ActionList.Description>
          </ActionList.LinkItem>
          <ActionList.LinkItem href={to('jsonl')} download>
            JSON lines, for programs
            <ActionList.Description variant="block">As they are stored, with what proves them</ActionList.Description>
          </ActionList.LinkItem>
        </ActionList>
      </ActionMenu.Overlay>
    </ActionMenu>
  )
}

/** Verify proves that nobody has changed the audit log. It is all of it, or nothing: who may look at one organization cannot. */
function Verify() {
  const me = useMe()
  const verify = useMutation({
    mutationFn: () => answer(api.GET('/api/musterline/audit/verify')),
  })
  const v = verify.data
  const broken = verify.error instanceof Problem && verify.error.status === 500 && verify.error.kind === 'failed'
  if (!may(me.data, 'viewer')) return null
  return (
    <>
      <Button leadingVisual={VerifiedIcon} loading={verify.isPending} onClick={() => verify.mutate()}>
        Verify
      </Button>
      {(v || verify.error) && (
        <div className="verdict">
          {v ? (
            <Banner
              variant="success"
              title={`The audit log is whole: ${v.entries.toLocaleString()} entries, from ${v.first.toLocaleString()} to ${v.last.toLocaleString()}`}
              description={
                <>
                  Nobody without the key file has changed, moved or taken away an entry. Keep its head elsewhere to
                  prove later that it was not set back: <span className="mono wrap">{v.head}</span>
                </>
              }
              onDismiss={() => verify.reset()}
            />
          ) : (
            <Banner
              variant={broken ? 'critical' : 'warning'}
              title={broken ? 'The audit log is broken' : 'The audit log could not be checked'}
              description={wordsOf(verify.error)}
              onDismiss={() => verify.reset()}
            />
          )}
        </div>
      )}
    </>
  )
}
