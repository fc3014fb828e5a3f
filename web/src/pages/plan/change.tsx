import './plan.css'

import { Label } from '@primer/react'
import { Link } from 'react-router'
import type { PlanChange } from './asked'

/** How each act is written and said. */
export const acts: Record<string, { sign: string; kind: 'add' | 'remove' | 'update'; words: string }> = {
  add: { sign: '+', kind: 'add', words: 'joins' },
  remove: { sign: '−', kind: 'remove', words: 'leaves' },
  cancel: { sign: '−', kind: 'remove', words: 'loses an invitation' },
  update: { sign: '~', kind: 'update', words: 'changes role' },
  create: { sign: '+', kind: 'add', words: 'is created' },
}

const results: Record<string, { text: string; variant: 'success' | 'danger' | 'attention' | 'secondary' | 'accent' }> =
  {
    done: { text: 'Done', variant: 'success' },
    seen: { text: 'Done', variant: 'success' },
    pending: { text: 'Invited', variant: 'accent' },
    already: { text: 'Was so already', variant: 'secondary' },
    failed: { text: 'Failed', variant: 'danger' },
    skipped: { text: 'Left for later', variant: 'attention' },
    'not-done': { text: 'Not done', variant: 'attention' },
    open: { text: 'Open', variant: 'secondary' },
  }

/** resultWords says how a write ended. */
export const resultWords = (result: string) => results[result]?.text ?? result

/** Result says how a write ended. */
export function Result(props: { of: string | undefined }) {
  const r = props.of ? results[props.of] : undefined
  if (!props.of) return null
  return <Label variant={r?.variant ?? 'secondary'}>{r?.text ?? props.of}</Label>
}

/** Sign stands before every change, and says to a reader of screens what it means. */
export function Sign(props: { act: string }) {
  const a = acts[props.act] ?? { sign: '·', kind: 'update', words: props.act }
  return (
    <span className="sign" role="img" aria-label={a.words} title={a.words}>
      {a.sign}
    </span>
  )
}

/** Change is one line of a plan: who, what, why, and what stops it. */
export function Change(props: { of: PlanChange }) {
  const { of } = props
  const kind = acts[of.act]?.kind ?? 'update'
  return (
    <li className={`change ${kind}`}>
      <Sign act={of.act} />
      <div className="change-words">
        <span className="inline change-who">
          {of.act === 'create' ? (
            <span>The new team, without members</span>
          ) : (
            <bdi className="strong">{of.account.login}</bdi>
          )}
          {of.act === 'add' && of.role === 'maintainer' && <Label>maintainer</Label>}
          {of.act === 'update' && (
            <span>
              {of.from} → {of.role}
            </span>
          )}
          {of.act === 'cancel' && <span className="muted">the invitation is cancelled</span>}
          {of.invite && <span className="muted">is invited again</span>}
          {of.objected.map((g) => (
            <Label key={g} variant="attention">
              stopped by {g}
            </Label>
          ))}
          <Result of={of.result} />
        </span>
        <span className="small muted wrap">
          <bdi>{of.why}</bdi>
          {of.user && <Who user={of.user} />}
        </span>
      </div>
    </li>
  )
}

function Who(props: { user: string }) {
  const at = props.user.indexOf('/')
  return (
    <>
      {' · '}
      <Link
        className="muted"
        to={`/people/${encodeURIComponent(props.user.slice(0, at))}/${encodeURIComponent(props.user.slice(at + 1))}`}
      >
        <bdi>{props.user}</bdi>
      </Link>
    </>
  )
}
