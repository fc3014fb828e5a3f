import { Checkbox, FormControl, Select, Textarea, TextInput } from '@primer/react'
import type { ReactNode } from 'react'
import type { components } from '../../api/client'

export type Field = components['schemas']['Field']
export type Body = Record<string, unknown>

/** What is typed: texts by key, of a list one a line, of a flag "true" or "". A secret that was not typed is not in it. */
export type Typed = Record<string, string>

/** typedOf is what the fields of a form hold for a body. */
export function typedOf(fields: Field[], body: Body): Typed {
  const typed: Typed = {}
  for (const f of fields) {
    const v = body[f.key]
    if (f.type === 'secret' || v === undefined || v === null) continue
    typed[f.key] = Array.isArray(v) ? v.map(String).join('\n') : typeof v === 'object' ? '' : String(v as string)
  }
  return typed
}

/** bodyOf puts what was typed into a body. What the form does not show stays as it is. */
export function bodyOf(fields: Field[], typed: Typed, before: Body, gone: string[]): Body {
  const body: Body = { ...before }
  for (const f of fields) {
    const text = (typed[f.key] ?? '').trim()
    if (f.type === 'secret') {
      if (text) body[f.key] = typed[f.key]
      else if (gone.includes(f.key)) body[f.key] = null
      continue
    }
    if (text === '') body[f.key] = undefined
    else if (f.type === 'flag') body[f.key] = text === 'true'
    else if (f.type === 'list')
      body[f.key] = text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
    else body[f.key] = text
  }
  return body
}

/** atOnce is how many fields a form shows at once. A kind names what matters most first. */
const atOnce = 9

/** Fields are the fields of a kind, made of what the kind says of itself. */
export function Fields(props: {
  fields: Field[]
  typed: Typed
  set: (key: string, value: string) => void
  secrets: string[]
  gone: string[]
  setGone: (keys: string[]) => void
  wrong: Record<string, string>
}) {
  const [first, rest] = [props.fields.slice(0, atOnce), props.fields.slice(atOnce)]
  const wrong = rest.some((f) => props.wrong[f.key])
  return (
    <>
      {first.map((f) => (
        <One key={f.key} {...props} field={f} />
      ))}
      {rest.length > 0 && (
        <details className="more-fields" open={wrong || undefined}>
          <summary>More settings ({rest.length})</summary>
          <div className="stack">
            {rest.map((f) => (
              <One key={f.key} {...props} field={f} />
            ))}
          </div>
        </details>
      )}
    </>
  )
}

function One(props: {
  field: Field
  typed: Typed
  set: (key: string, value: string) => void
  secrets: string[]
  gone: string[]
  setGone: (keys: string[]) => void
  wrong: Record<string, string>
}) {
  const { field: f, typed, set, wrong } = props
  const value = typed[f.key] ?? ''
  const label = f.label || f.key
  const kept = f.type === 'secret' && props.secrets.includes(f.key)
  const leaving = props.gone.includes(f.key)
  const trouble = wrong[f.key] && (
    <FormControl.Validation variant="error">{`${label} ${wrong[f.key] ?? ''}`}</FormControl.Validation>
  )
  const help = (
    <FormControl.Caption>
      {f.help}
      {f.default && f.type !== 'flag' && f.type !== 'choice' && ` ${f.default} when empty.`}
    </FormControl.Caption>
  )
  if (f.type === 'flag')
    return (
      <FormControl id={`field-${f.key}`}>
        <Checkbox checked={value === 'true'} onChange={(e) => set(f.key, e.target.checked ? 'true' : '')} />
        <FormControl.Label>{label}</FormControl.Label>
        {help}
        {trouble}
      </FormControl>
    )
  return (
    <>
      <FormControl id={`field-${f.key}`} required={f.required && !kept}>
        <FormControl.Label>{label}</FormControl.Label>
        {f.type === 'choice' ? (
          <Select value={value} onChange={(e) => set(f.key, e.target.value)}>
            <Select.Option value="">{f.default ? `Default (${f.default})` : 'Not set'}</Select.Option>
            {(f.choices ?? []).map((c) => (
              <Select.Option key={c} value={c}>
                {c}
              </Select.Option>
            ))}
          </Select>
        ) : f.type === 'list' || f.multiline ? (
          <Textarea
            block
            rows={f.multiline ? 5 : 3}
            className={f.multiline ? 'mono' : undefined}
            value={value}
            autoComplete="off"
            spellCheck={false}
            placeholder={placeholder(f, kept)}
            disabled={leaving}
            onChange={(e) => set(f.key, e.target.value)}
          />
        ) : (
          <TextInput
            block
            type={f.type === 'secret' ? 'password' : f.type === 'url' ? 'url' : 'text'}
            inputMode={f.type === 'number' ? 'numeric' : undefined}
            autoComplete={f.type === 'secret' ? 'new-password' : 'off'}
            spellCheck={false}
            value={value}
            placeholder={placeholder(f, kept)}
            disabled={leaving}
            onChange={(e) => set(f.key, e.target.value)}
          />
        )}
        {help}
        {trouble}
      </FormControl>
      {kept && !f.required && (
        <FormControl id={`gone-${f.key}`}>
          <Checkbox
            checked={leaving}
            onChange={(e) =>
              props.setGone(e.target.checked ? [...props.gone, f.key] : props.gone.filter((k) => k !== f.key))
            }
          />
          <FormControl.Label>{`Take ${label.toLowerCase()} away`}</FormControl.Label>
        </FormControl>
      )}
    </>
  )
}

function placeholder(f: Field, kept: boolean): string | undefined {
  if (kept) return 'Set. Leave empty to keep it'
  if (f.type === 'list') return f.example ? `One a line, such as ${f.example}` : 'One a line'
  return f.example || undefined
}

/** FieldsShown shows what the fields hold, without changing it; the rest of the list comes behind them. */
export function FieldsShown(props: {
  fields: Field[]
  body: Body
  row: { origin: string; file?: string; line?: number }
  children?: ReactNode
}) {
  const typed = typedOf(props.fields, props.body)
  return (
    <div className="box">
      {props.row.origin === 'file' && (
        <div className="head">
          <span>
            Set in{' '}
            <span className="mono">
              {props.row.file}, line {props.row.line}
            </span>
            : change it there.
          </span>
        </div>
      )}
      <dl className="pairs settings-shown">
        {props.fields.map((f) => (
          <div key={f.key} className="pair">
            <dt>{f.label || f.key}</dt>
            <dd className="wrap">
              {f.type === 'secret' ? <span className="muted">set, and never shown</span> : <bdi>{typed[f.key]}</bdi>}
            </dd>
          </div>
        ))}
        {props.children}
      </dl>
    </div>
  )
}
