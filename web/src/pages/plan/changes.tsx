import { ChevronDownIcon, ChevronRightIcon } from '@primer/octicons-react'
import { CounterLabel, IconButton, Label } from '@primer/react'
import { useId, useState } from 'react'
import { Link } from 'react-router'
import type { TeamChanges } from './asked'
import { Change } from './change'

/** Teams shows changes team by team. Each team can be folded away. */
export function Teams(props: { target: string; teams: TeamChanges[] }) {
  return (
    <div className="stack">
      {props.teams.map((t) => (
        <Team key={t.id || t.slug} of={t} target={props.target} />
      ))}
    </div>
  )
}

function Team(props: { of: TeamChanges; target: string }) {
  const { of: t, target } = props
  const [open, setOpen] = useState(true)
  const id = useId()
  return (
    <div className="box fold">
      <div className="head">
        <IconButton
          icon={open ? ChevronDownIcon : ChevronRightIcon}
          aria-label={open ? `Fold ${t.slug} away` : `Show ${t.slug}`}
          aria-expanded={open}
          aria-controls={id}
          variant="invisible"
          size="small"
          onClick={() => setOpen(!open)}
        />
        <h3 className="fold-title">
          {t.id ? (
            <Link to={`/organizations/${encodeURIComponent(target)}/teams/${encodeURIComponent(t.slug)}`}>
              <bdi>{t.slug}</bdi>
            </Link>
          ) : (
            <bdi>{t.slug}</bdi>
          )}
        </h3>
        <CounterLabel>{t.total.toLocaleString()}</CounterLabel>
        {t.create && <Label variant="accent">new team</Label>}
        {t.unmapped && <Label variant="attention">no longer mapped</Label>}
        <span className="small muted">{sizes(t)}</span>
        {t.continued && <span className="small muted">continued from the page before</span>}
      </div>
      <div className="fold-body" id={id} hidden={!open}>
        {t.objections.map((o) => (
          <p key={o.guard} className="small doubt">
            <Label variant="attention">{o.guard}</Label> <bdi>{o.message}</bdi>
          </p>
        ))}
        <ul className="changes">
          {t.changes.map((c) => (
            <Change key={`${c.act} ${c.account.id}`} of={c} />
          ))}
        </ul>
      </div>
    </div>
  )
}

function sizes(t: TeamChanges): string {
  const members = (n: number) => `${n.toLocaleString()} ${n === 1 ? 'member' : 'members'}`
  const size = t.after === t.members ? members(t.after) : `${t.members.toLocaleString()} → ${members(t.after)}`
  return t.now === t.after ? size : `${size}, ${t.now.toLocaleString()} until approved`
}
