// A form of the settings of one part of the configuration: what the server explains, what is typed over it, and how the two are saved.
import { Banner, Button, FormControl, Label, Select, Text, Textarea, TextInput, ToggleSwitch } from '@primer/react'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useId, useRef, useState } from 'react'
import { Problem, type components, type Versioned } from '../../api/client'
import { Section } from '../../parts/page'
import { Refused, sentence } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { When } from '../../parts/when'

export type Explained = components['schemas']['Explained']
type Setting = components['schemas']['Setting']
type Guard = components['schemas']['GuardSetting']
type Limit = components['schemas']['LimitSetting']
type From = components['schemas']['From']
type Body = Record<string, unknown>

/** What is typed: by path ("grace", "guards.team_removals"), what the key shall be; undefined: not set. */
type Edits = Map<string, unknown>

/** A Draft is a part of the configuration with what is typed over it. */
export type Draft = {
  is: Explained
  prefix: string // of the guards' keys: they lie in a map of their own, or are all that there is
  own: (path: string) => unknown
  set: (path: string, value: unknown) => void
  problem: (path: string) => string | undefined
  locked: boolean
}

function at(body: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((in_, key) => (in_ && typeof in_ === 'object' ? (in_ as Body)[key] : undefined), body)
}

/** put returns a body with a key set, or taken away. Maps that have become empty go too. */
function put(body: Body, path: string, value: unknown): Body {
  const [head = '', ...rest] = path.split('.')
  let v = value
  if (rest.length > 0) {
    const under = put((body[head] as Body | undefined) ?? {}, rest.join('.'), value)
    v = Object.keys(under).length > 0 ? under : undefined
  }
  const others = Object.fromEntries(Object.entries(body).filter(([k]) => k !== head))
  return v === undefined ? others : { ...others, [head]: v }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** labelOf makes a name for people of a key: "Groups per team". */
export function labelOf(key: string): string {
  const text = key.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** SettingsForm is the frame of a form: what is typed stays until it is saved or taken back, also when the server refuses or somebody was faster. */
export function SettingsForm(props: {
  of: Versioned<Explained>
  locked?: ReactNode // why nothing can be changed; the file's reason comes from the server
  prefix?: string
  save: (body: Body, etag: string) => Promise<unknown>
  reload: () => Promise<Versioned<Explained> | undefined>
  children: (draft: Draft) => ReactNode
}) {
  const queries = useQueryClient()
  const [edits, setEdits] = useState<Edits>(new Map())
  const [base, setBase] = useState(props.of)
  const [error, setError] = useState<unknown>()
  const [theirs, setTheirs] = useState<Versioned<Explained>>()
  const [busy, setBusy] = useState(false)
  const [saved, setSaved] = useState(false)
  const told = useRef<HTMLDivElement>(null)
  if (props.of !== base && edits.size === 0 && !theirs) setBase(props.of) // it was read again, and nothing is typed over it
  const body = (base.data.row?.body ?? {}) as Body
  const locked = !!base.data.read_only || !!props.locked

  useUnsaved(edits.size > 0)

  const set = (path: string, value: unknown) => {
    setSaved(false)
    setEdits((old) => {
      const next = new Map(old)
      if (same(value, at(body, path))) next.delete(path)
      else next.set(path, value)
      return next
    })
  }
  const send = async (over: Versioned<Explained>) => {
    setBusy(true)
    setError(undefined)
    let wish = (over.data.row?.body ?? {}) as Body
    for (const [path, value] of edits) wish = put(wish, path, value)
    try {
      await props.save(wish, over.etag)
      const now = await props.reload()
      if (now) setBase(now)
      setEdits(new Map())
      setTheirs(undefined)
      setSaved(true)
      void queries.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'explained' && q.queryKey[0] !== 'me' })
    } catch (e) {
      const now = e instanceof Problem && e.status === 412 ? await props.reload().catch(() => undefined) : undefined
      if (now && now.etag !== over.etag) setTheirs(now)
      else setError(e)
    }
    setBusy(false)
    told.current?.focus()
  }
  const message = error instanceof Problem && error.status === 422 ? error.message : ''
  const problem = (path: string) => {
    const key = path.split('.').pop() ?? path
    const line = message.split('\n').find((l) => new RegExp(`(^|[.\\s])${key}\\b`).test(l))
    // The path at its head is of the configuration; who looks at the field knows it.
    return line && edits.has(path) ? sentence(line.replace(/^[\w.-]+\s+(?=must|has|takes|is)/, '')) : undefined
  }
  const placed = [...edits.keys()].some((path) => problem(path) !== undefined)
  const draft: Draft = {
    is: base.data,
    prefix: props.prefix ?? '',
    own: (path) => (edits.has(path) ? edits.get(path) : at(body, path)),
    set,
    problem,
    locked,
  }
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(e) => {
        e.preventDefault()
        void send(theirs ?? base)
      }}
    >
      {base.data.read_only ? (
        <Banner
          title="Read-only here"
          hideTitle
          description={`${sentence(base.data.read_only)} Change ${base.data.section === 'teams' ? 'them' : 'it'} there.`}
        />
      ) : (
        props.locked && <Banner title="Read-only" hideTitle description={props.locked} />
      )}
      {base.data.row?.unfit && (
        <Banner
          variant="critical"
          title="Not in force"
          description={`This was left out, because it does not fit any more: ${base.data.row.unfit}`}
        />
      )}
      {props.children(draft)}
      <div className="stack" ref={told} tabIndex={-1}>
        {theirs && <Conflict base={base.data} theirs={theirs.data} edits={edits} />}
        {!placed && <Refused error={error} />}
        {placed && <Banner variant="critical" title="Not saved" description="See what is said at the fields above." />}
        {saved && edits.size === 0 && (
          <div role="status">
            <Banner variant="success" title="Saved" hideTitle description="Saved. It holds from the next sync on." />
          </div>
        )}
      </div>
      {!locked && (
        <div className="save-bar inline">
          <Button type="submit" variant="primary" disabled={edits.size === 0} loading={busy}>
            {theirs ? 'Save mine too' : 'Save changes'}
          </Button>
          {edits.size > 0 && (
            <Button
              onClick={() => {
                setEdits(new Map())
                setError(undefined)
                if (theirs) setBase(theirs)
                setTheirs(undefined)
              }}
            >
              Discard
            </Button>
          )}
          <span className="muted small">
            {edits.size > 0 && `${edits.size} unsaved ${edits.size === 1 ? 'change' : 'changes'}`}
          </span>
        </div>
      )}
    </form>
  )
}

/** Conflict shows what somebody else has changed since the form was opened. */
function Conflict(props: { base: Explained; theirs: Explained; edits: Edits }) {
  const was = (props.base.row?.body ?? {}) as Body
  const is = (props.theirs.row?.body ?? {}) as Body
  const paths = new Set<string>()
  for (const b of [was, is]) {
    for (const [k, v] of Object.entries(b)) {
      if (k === 'guards') for (const g of Object.keys(v as Body)) paths.add(`guards.${g}`)
      else paths.add(k)
    }
  }
  const changed = [...paths].filter((p) => !same(at(was, p), at(is, p)))
  return (
    <Banner
      variant="warning"
      title="Somebody else has changed this meanwhile"
      description={
        <>
          <p>
            {props.theirs.row?.by && (
              <>
                By <bdi>{props.theirs.row.by}</bdi>, <When at={props.theirs.row.at} />.{' '}
              </>
            )}
            Nothing of yours was saved yet. Save mine too keeps their other changes.
          </p>
          <ul>
            {changed.map((p) => (
              <li key={p}>
                <span className="mono">{p}</span>: {shown(at(was, p))} → {shown(at(is, p))}
                {props.edits.has(p) && <> (yours: {shown(props.edits.get(p))})</>}
              </li>
            ))}
          </ul>
        </>
      }
    />
  )
}

function shown(v: unknown): string {
  if (v === undefined || v === null) return 'not set'
  if (Array.isArray(v)) return v.join(', ') || 'none'
  return typeof v === 'object' ? limitText(v as Body) : String(v)
}

function limitText(v: Body): string {
  return `{ ${Object.entries(v)
    .map(([k, n]) => `${k}: ${String(n)}`)
    .join(', ')} }`
}

/** inWords is a limit as people say it: "more than 5 and more than 20 %". */
function inWords(limit: string): string {
  if (limit === 'off') return 'no limit'
  const max = /max: (\d+)/.exec(limit)?.[1]
  const percent = /percent: (\d+)/.exec(limit)?.[1]
  const parts = [max && `more than ${max}`, percent && `more than ${percent} %`].filter(Boolean)
  return parts.join(' and ') || limit
}

const levels: Record<string, string> = {
  team: 'for this team',
  organization: 'for the organization',
  all: 'for all organizations',
  enterprise: 'by the enterprise',
}

/** SetWhere says where a value was set. */
export function SetWhere(props: { from: From; level: string }) {
  const { origin, level, file, line, by, at: when } = props.from
  if (origin === 'default') return <Label>{props.level === 'enterprise' ? 'Left to organizations' : 'Default'}</Label>
  const where = level === props.level ? '' : ` ${levels[level] ?? ''}`
  if (origin === 'file')
    return (
      <Text className="small muted">
        <Label variant="accent">File</Label> {file}, line {line}
        {where}
      </Text>
    )
  if (origin === 'rule')
    return (
      <Text className="small muted">
        <Label variant="accent">Rule</Label> set{where}
      </Text>
    )
  return (
    <Text className="small muted">
      <Label variant="success">Console</Label> set{where}
      {by && (
        <>
          {' '}
          by <bdi>{by}</bdi>, <When at={when} />
        </>
      )}
    </Text>
  )
}

/** Fields are the settings of a draft that are not left out. */
export function Fields(props: { draft: Draft; level: string; only?: (s: Setting) => boolean }) {
  return (
    <div className="box">
      {props.draft.is.settings
        .filter((s) => props.only?.(s) ?? true)
        .map((s) => (
          <div key={s.key} className="row">
            <Field draft={props.draft} setting={s} level={props.level} />
          </div>
        ))}
    </div>
  )
}

function Field(props: { draft: Draft; setting: Setting; level: string }) {
  const { draft, setting: s } = props
  const own = draft.own(s.key)
  const wrong = draft.problem(s.key)
  const outvoted = s.from.level !== '' && s.from.level !== props.level
  const standard = s.default ? `Default (${s.type === 'flag' ? 'No' : s.default})` : 'Not set'
  const text = own === undefined ? '' : Array.isArray(own) ? own.join('\n') : String(own)
  const input = () => {
    if (s.type === 'choice' || s.type === 'flag') {
      const choices = s.type === 'flag' ? ['true', 'false'] : s.choices
      const value = (v: string) => (v === '' ? undefined : s.type === 'flag' ? v === 'true' : v)
      return (
        <Select value={text} onChange={(e) => draft.set(s.key, value(e.target.value))}>
          <Select.Option value="">{standard}</Select.Option>
          {choices.map((c) => (
            <Select.Option key={c} value={c}>
              {s.type === 'flag' ? (c === 'true' ? 'Yes' : 'No') : c}
            </Select.Option>
          ))}
        </Select>
      )
    }
    if (s.type === 'list') {
      return (
        <Textarea
          rows={Math.min(8, Math.max(2, text.split('\n').length))}
          placeholder={s.example?.replace(/^\[|\]$/g, '').replaceAll(', ', '\n')}
          value={text}
          onChange={(e) => draft.set(s.key, e.target.value === '' ? undefined : e.target.value.split('\n'))}
          onBlur={(e) => {
            const lines = e.target.value.split('\n').map((l) => l.trim())
            draft.set(s.key, lines.some(Boolean) ? lines.filter(Boolean) : undefined)
          }}
        />
      )
    }
    return (
      <TextInput
        inputMode={s.type === 'number' ? 'numeric' : undefined}
        placeholder={s.default ?? s.example}
        value={text}
        onChange={(e) => {
          const v = e.target.value
          draft.set(s.key, v === '' ? undefined : s.type === 'number' && /^\d{1,9}$/.test(v) ? Number(v) : v)
        }}
      />
    )
  }
  return (
    <div className="setting">
      {draft.locked ? (
        <Told
          name={labelOf(s.key)}
          value={s.type === 'flag' ? (s.value[0] === 'true' ? 'Yes' : 'No') : s.value.join(', ') || 'not set'}
          help={s.help}
        />
      ) : (
        <FormControl>
          <FormControl.Label>{labelOf(s.key)}</FormControl.Label>
          {input()}
          <FormControl.Caption>
            {s.help}
            {s.type === 'list' && ' One on each line.'}
            {s.type === 'duration' && ' Written 90s, 15m or 6h.'}
          </FormControl.Caption>
          {wrong && <FormControl.Validation variant="error">{wrong}</FormControl.Validation>}
        </FormControl>
      )}
      <div className="whence">
        <SetWhere from={s.from} level={props.level} />
        {outvoted && !draft.locked && (
          <div className="small">
            <span className="mono">{s.value.join(', ')}</span> holds here, whatever is set in this form.
          </div>
        )}
      </div>
    </div>
  )
}

/** Told is a setting that can only be read. */
function Told(props: { name: string; value: string; help: string }) {
  return (
    <div>
      <div className="setting-name">{props.name}</div>
      <div className="mono wrap">{props.value}</div>
      <div className="small muted">{props.help}</div>
    </div>
  )
}

/** Guards are the guards of a draft, each with what it objects to. */
export function Guards(props: { draft: Draft; level: string; lead?: string }) {
  return (
    <Section title="Guards" count={props.draft.is.guards.length}>
      {props.lead && <p className="muted told">{props.lead}</p>}
      <div className="box">
        {props.draft.is.guards.map((g) => (
          <div key={g.name} className="row">
            <OneGuard draft={props.draft} guard={g} level={props.level} />
          </div>
        ))}
      </div>
    </Section>
  )
}

function OneGuard(props: { draft: Draft; guard: Guard; level: string }) {
  const { draft, guard: g } = props
  const id = useId()
  const off = `${draft.prefix}off`
  const ownOff = ((draft.own(off) as string[] | undefined) ?? []).includes(g.name)
  const elsewhere = g.off && g.from.level !== props.level
  const flip = () => {
    const names = (draft.own(off) as string[] | undefined) ?? []
    const next = ownOff ? names.filter((n) => n !== g.name) : [...names, g.name]
    draft.set(off, next.length > 0 ? next : undefined)
  }
  return (
    <div className="guard">
      <div className="inline guard-head">
        <h3 id={id} className="grow">
          {labelOf(g.name)} <span className="mono small muted">{g.name}</span>
        </h3>
        {draft.locked ? (
          <Label variant={g.off ? 'danger' : 'success'}>{g.off ? 'Off' : 'On'}</Label>
        ) : (
          <ToggleSwitch
            size="small"
            aria-labelledby={id}
            checked={!ownOff && !elsewhere}
            disabled={elsewhere}
            onClick={flip}
            buttonLabelOn="On"
            buttonLabelOff="Off"
          />
        )}
      </div>
      <p className="muted guard-about">{g.about}</p>
      {g.off && <SetWhere from={g.from} level={props.level} />}
      {g.limits.map((l) => (
        <OneLimit key={l.key} draft={draft} guard={g.name} limit={l} level={props.level} />
      ))}
    </div>
  )
}

function OneLimit(props: { draft: Draft; guard: string; limit: Limit; level: string }) {
  const { draft, limit: l } = props
  const path = draft.prefix + l.key
  const own = draft.own(path)
  const wrong = draft.problem(path)
  const plain = l.type === 'limit' ? 'Limit' : l.type === 'duration' ? 'How long' : 'What to do'
  const name = l.key === props.guard ? plain : l.key.endsWith('_small') ? 'Limit for small teams' : labelOf(l.key)
  const label = `${labelOf(props.guard)}: ${name}`
  const words = (value: string) => (l.type === 'limit' ? inWords(value) : value)
  const standard =
    props.level === 'enterprise'
      ? 'Not set'
      : props.level !== 'team'
        ? `Default (${words(l.default)})`
        : at(draft.is.row?.body, path) !== undefined
          ? "Organization's"
          : `${l.from.level === 'team' ? "The team's limit" : "Organization's"} (${words(l.value)})`
  const input = () => {
    if (l.type === 'choice') {
      return (
        <Select
          value={typeof own === 'string' ? own : ''}
          onChange={(e) => draft.set(path, e.target.value || undefined)}
          aria-label={label}
        >
          <Select.Option value="">{standard}</Select.Option>
          {l.choices.map((c) => (
            <Select.Option key={c} value={c}>
              {c}
            </Select.Option>
          ))}
        </Select>
      )
    }
    if (l.type === 'duration') {
      return (
        <TextInput
          aria-label={label}
          value={typeof own === 'string' ? own : ''}
          placeholder={props.level === 'enterprise' ? '' : props.level === 'team' ? l.value : l.default}
          onChange={(e) => draft.set(path, e.target.value || undefined)}
        />
      )
    }
    const how = own === undefined ? '' : own === 'off' ? 'off' : 'set'
    const limit = typeof own === 'number' ? { max: own } : ((own ?? {}) as { max?: number; percent?: number })
    const change = (key: 'max' | 'percent', v: string) => {
      const next = { ...limit, [key]: /^\d{1,7}$/.test(v) ? Number(v) : undefined }
      draft.set(path, next)
    }
    return (
      <span className="inline">
        <Select
          aria-label={label}
          value={how}
          onChange={(e) => draft.set(path, { '': undefined, off: 'off', set: { max: 5 } }[e.target.value])}
        >
          <Select.Option value="">{standard}</Select.Option>
          <Select.Option value="set">More than</Select.Option>
          <Select.Option value="off">No limit</Select.Option>
        </Select>
        {how === 'set' && (
          <>
            <TextInput
              className="number"
              inputMode="numeric"
              aria-label={`${label}: number`}
              value={limit.max ?? ''}
              onChange={(e) => change('max', e.target.value)}
            />
            <span>and more than</span>
            <TextInput
              className="number"
              inputMode="numeric"
              aria-label={`${label}: per cent`}
              trailingVisual="%"
              value={limit.percent ?? ''}
              onChange={(e) => change('percent', e.target.value)}
            />
          </>
        )}
      </span>
    )
  }
  return (
    <div className="setting limit">
      {draft.locked ? (
        <Told name={name} value={l.type === 'limit' ? inWords(l.value) : l.value} help={l.help} />
      ) : (
        <div role="group" aria-label={label}>
          <div className="setting-name">{name}</div>
          {input()}
          <div className="small muted">{l.help}</div>
          {wrong && (
            <div className="small wrong" role="alert">
              {wrong}
            </div>
          )}
        </div>
      )}
      <div className="whence">
        <SetWhere from={l.from} level={props.level} />
        {props.level === 'team' && own !== undefined && !draft.locked && (
          <div>
            <Button
              size="small"
              variant="invisible"
              aria-label={`Take back: ${label}`}
              onClick={() => draft.set(path, undefined)}
            >
              Take back
            </Button>
          </div>
        )}
        {props.level !== 'team' && l.from.level !== '' && l.from.level !== props.level && !draft.locked && (
          <div className="small">
            <span className="mono">{l.value}</span> holds here
            {l.from.level === 'all' && own === undefined ? '' : ' now'}.
          </div>
        )}
      </div>
    </div>
  )
}
