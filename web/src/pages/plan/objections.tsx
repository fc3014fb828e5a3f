import './plan.css'

import { ShieldIcon } from '@primer/octicons-react'
import { Button, Label } from '@primer/react'
import { count } from '../../parts/count'
import type { GuardSays } from './asked'

/** Objections are what guards say of a plan, in plain words, with the way out. */
export function Objections(props: {
  guards: GuardSays[]
  approve?: (guard: string) => void
  whyNot?: string
  look: (guard: string) => void
}) {
  return (
    <ul className="box guards">
      {props.guards.map((g) => (
        <li key={g.guard} className="row">
          <div className="guard-head">
            <ShieldIcon />
            <h3 className="guard-name">{g.guard}</h3>
            <span className="muted small">
              {g.changes === 0
                ? 'warns, and stops nothing'
                : `stops ${count(g.changes, 'change')} in ${count(g.teams, 'team')}`}
            </span>
            <span className="room" />
            {g.changes > 0 && (
              <span className="inline">
                <Button size="small" onClick={() => props.look(g.guard)}>
                  Show changes
                </Button>
                {props.approve && (
                  <Button size="small" onClick={() => props.approve?.(g.guard)}>
                    Approve…
                  </Button>
                )}
              </span>
            )}
          </div>
          <ul className="doubts">
            {g.objections.map((o, i) => (
              <li key={i}>
                <bdi className="wrap">{stop(o.message)}</bdi>
                {!same(g) && o.wrong && <Wrong text={o.wrong} />}
              </li>
            ))}
            {g.more > 0 && (
              <li className="muted">and {g.more.toLocaleString()} more, which stand with their teams below</li>
            )}
          </ul>
          {same(g) && g.objections[0]?.wrong && <Wrong text={g.objections[0].wrong} />}
          {g.objections.some((o) => o.right) && (
            <p className="small muted wrap">
              If it is right: approve it here{props.whyNot ? ` (${props.whyNot})` : ''}, or{' '}
              <Label className="command-label">
                <span className="mono wrap">{g.objections.find((o) => o.right)?.right}</span>
              </Label>
            </p>
          )}
        </li>
      ))}
    </ul>
  )
}

function Wrong(props: { text: string }) {
  return (
    <p className="small wrap">
      <strong>If it is wrong:</strong> <bdi>{props.text}</bdi>
    </p>
  )
}

/** same reports whether all objections of a guard have one way out: then it is told once. */
const same = (g: GuardSays) => g.objections.every((o) => o.wrong === g.objections[0]?.wrong)

/** stop gives a text its full stop. Where it begins with a name, that keeps its small letter. */
export function stop(text: string): string {
  return /[.!?:…]$/.test(text) ? text : `${text}.`
}
