import { Banner, Button } from '@primer/react'
import { type FormEvent, useRef, useState } from 'react'
import { answer, api, Problem, type Versioned, versioned } from '../../api/client'
import { Refused, wordsOf } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { When } from '../../parts/when'
import { Checked, type Report } from './checked'
import { type Body, bodyOf, type Field, Fields, type Typed, typedOf } from './form'

export type Section = 'sources' | 'targets'

type Row = { body: unknown; by?: string; at?: string; secrets: string[] }

export const put = (section: Section, name: string, etag: string, body: Body) =>
  versioned(
    section === 'sources'
      ? api.PUT('/api/musterline/sources/{name}', { params: { path: { name }, header: { 'If-Match': etag } }, body })
      : api.PUT('/api/musterline/targets/{name}', { params: { path: { name }, header: { 'If-Match': etag } }, body }),
  )

const look = (section: Section, name: string) =>
  versioned(
    section === 'sources'
      ? api.GET('/api/musterline/sources/{name}', { params: { path: { name } } })
      : api.GET('/api/musterline/targets/{name}', { params: { path: { name } } }),
  )

export const tryOut = (section: Section, name: string | undefined, body: Body) =>
  answer(
    section === 'sources'
      ? api.POST('/api/musterline/sources/check', { params: { query: { name } }, body })
      : api.POST('/api/musterline/targets/check', { params: { query: { name } }, body }),
  )

/** focusOn goes to the first field about which something was said. */
export function focusOn(fields: Field[], wrong: { key: string }[]) {
  const first = fields.find((f) => wrong.some((w) => w.key === f.key))
  if (first) window.setTimeout(() => document.getElementById(`field-${first.key}`)?.focus(), 0)
}

export const wrongOf = (error: unknown): Record<string, string> =>
  error instanceof Problem ? Object.fromEntries(error.fields.map((f) => [f.key, f.message])) : {}

/** Edit changes a source or a target that was made here. Somebody else's change in the meantime is shown, and who edits decides. */
export function Edit(props: {
  section: Section
  name: string
  row: Row
  etag: string
  fields: Field[]
  saved: (row: Versioned<unknown>) => void
}) {
  const { section, name, fields } = props
  const [base, setBase] = useState({ body: props.row.body as Body, etag: props.etag, secrets: props.row.secrets })
  const [typed, setTyped] = useState<Typed>(() => typedOf(fields, base.body))
  const [gone, setGone] = useState<string[]>([])
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState('')
  const [report, setReport] = useState<Report>()
  const [theirs, setTheirs] = useState<{ row: Row; etag: string }>()
  useUnsaved(gone.length > 0 || differ(typed, typedOf(fields, base.body)))
  const form = useRef<HTMLFormElement>(null)
  const set = (key: string, value: string) => setTyped((old) => ({ ...old, [key]: value }))
  const body = () => bodyOf(fields, typed, base.body, gone)
  const run = async (what: string, act: () => Promise<void>) => {
    setBusy(what)
    setError(undefined)
    setReport(undefined)
    try {
      await act()
    } catch (e) {
      if (e instanceof Problem && e.status === 412) {
        const now = await look(section, name).catch(() => undefined)
        if (now) setTheirs({ row: now.data, etag: now.etag })
        else setError(e)
      } else {
        setError(e)
        if (e instanceof Problem) focusOn(fields, e.fields)
      }
    }
    setBusy('')
  }
  const save = (etag: string) =>
    run('save', async () => {
      const row = await put(section, name, etag, body())
      setBase({ body: row.data.body as Body, etag: row.etag, secrets: row.data.secrets })
      setTyped(typedOf(fields, row.data.body as Body))
      setGone([])
      setTheirs(undefined)
      props.saved(row)
    })
  const differing = theirs
    ? fields.filter(
        (f) => (typedOf(fields, theirs.row.body as Body)[f.key] ?? '') !== (typed[f.key] ?? '') && f.type !== 'secret',
      )
    : []
  return (
    <form
      ref={form}
      className="stack connection-form"
      noValidate
      onSubmit={(e: FormEvent) => {
        e.preventDefault()
        void save(base.etag)
      }}
    >
      <Fields
        fields={fields}
        typed={typed}
        set={set}
        secrets={base.secrets}
        gone={gone}
        setGone={setGone}
        wrong={wrongOf(error)}
      />
      {theirs && (
        <Banner
          variant="warning"
          title="Somebody has changed it meanwhile: nothing was saved"
          description={
            <>
              <p>
                <bdi>{theirs.row.by}</bdi> saved it <When at={theirs.row.at} />.
              </p>
              {differing.length > 0 ? (
                <ul className="report-list">
                  {differing.map((f) => (
                    <li key={f.key}>
                      {f.label || f.key}: theirs is{' '}
                      <bdi className="mono">{typedOf(fields, theirs.row.body as Body)[f.key] ?? 'empty'}</bdi>, yours is{' '}
                      <bdi className="mono">{typed[f.key] || 'empty'}</bdi>
                    </li>
                  ))}
                </ul>
              ) : (
                <p>What you see here is the same; a secret may be another.</p>
              )}
            </>
          }
          primaryAction={
            <Banner.PrimaryAction onClick={() => void save(theirs.etag)}>Save mine over it</Banner.PrimaryAction>
          }
          secondaryAction={
            <Banner.SecondaryAction
              onClick={() => {
                setBase({ body: theirs.row.body as Body, etag: theirs.etag, secrets: theirs.row.secrets })
                setTyped(typedOf(fields, theirs.row.body as Body))
                setTheirs(undefined)
              }}
            >
              Take theirs
            </Banner.SecondaryAction>
          }
        />
      )}
      {busy === 'test' ? <p role="status">Reaching it…</p> : report && <Checked of={report} />}
      {error !== undefined && <NotSaved error={error} />}
      <div className="inline">
        <Button type="submit" variant="primary" loading={busy === 'save'}>
          Save changes
        </Button>
        <Button
          loading={busy === 'test'}
          onClick={() => void run('test', async () => setReport(await tryOut(section, name, body())))}
        >
          Test before saving
        </Button>
      </div>
    </form>
  )
}

/** differ reports whether two forms hold anything else than each other. */
function differ(a: Typed, b: Typed): boolean {
  return [...Object.keys(a), ...Object.keys(b)].some((key) => (a[key] ?? '') !== (b[key] ?? ''))
}

/** NotSaved says what is wrong; where it stands at the fields, it only points there. */
export function NotSaved(props: { error: unknown }) {
  const e = props.error
  if (e instanceof Problem && e.fields.length > 0)
    return (
      <Banner
        variant="critical"
        title="Not saved: nothing was changed"
        description={
          e.fields.length === 1 ? 'See what is said at the field.' : `See what is said at ${e.fields.length} fields.`
        }
      />
    )
  if (e instanceof Problem && e.message.includes('\n'))
    return (
      <Banner
        variant="critical"
        title="Not saved: nothing was changed"
        description={
          <ul className="report-list">
            {e.message.split('\n').map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        }
      />
    )
  return e instanceof Problem ? (
    <Refused error={e} />
  ) : (
    <Banner variant="critical" title="Not saved" description={wordsOf(e)} />
  )
}
