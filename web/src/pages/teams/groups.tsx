import { LockIcon, PlusIcon, XIcon } from '@primer/octicons-react'
import { Banner, Button, FormControl, IconButton, Label, Select, SelectPanel } from '@primer/react'
import { keepPreviousData, useQueries } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import { answer, api, type components } from '../../api/client'
import { Section } from '../../parts/page'
import { useDelayed } from '../../parts/search'
import { sentence, wordsOf } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { When } from '../../parts/when'
import { duration } from '../../parts/when'
import { pathOf } from '../people/words'
import { Preview } from './preview'

export type TeamPage = components['schemas']['TeamPage']
type Group = components['schemas']['Group']

/** A row of the form: a group, and the least that its members get. */
export type Row = { source: string; id: string; name: string; role: string; people?: number; trouble?: string }

export type Mode = 'exclusive' | 'additive'

/** A draft is what somebody is about to save, with the version that they began from. */
export type Draft = { rows: Row[]; mode: Mode; etag: string }

/** draftOf is what is saved, as a form. */
export function draftOf(team: TeamPage, etag: string): Draft {
  return {
    etag,
    mode: team.mode === 'additive' ? 'additive' : 'exclusive',
    rows: team.mappings.map((m) => ({
      source: m.source,
      id: m.group_id ?? '',
      name: m.group,
      role: m.role,
      people: m.people,
      trouble: m.missing
        ? 'The source lists no such group any more: nobody joins or leaves by it.'
        : m.failure
          ? `The source cannot be read: ${m.failure}`
          : undefined,
    })),
  }
}

/** groupsOf is a form as the API takes it. */
export function groupsOf(draft: Draft) {
  return {
    groups: draft.rows.map((r) => ({ group: `${r.source}/${r.id || r.name}`, role: r.role })),
    mode: draft.mode,
  }
}

const keyOf = (r: { source: string; id: string; name: string }) => `${r.source}/${r.id || r.name}`

function same(a: Draft, b: Draft): boolean {
  const text = (d: Draft) => JSON.stringify([d.rows.map((r) => [keyOf(r), r.role]).sort(), d.mode])
  return text(a) === text(b)
}

/** Groups are the "Identity Provider Groups" of a team: picked by typing, with who would come and go shown before they are saved. */
export function Groups(props: {
  target: string
  team: TeamPage
  etag: string
  saved: () => void
  refetch: () => Promise<{ team: TeamPage; etag: string } | undefined>
}) {
  const { team, target } = props
  const is = draftOf(team, props.etag)
  const [mine, setMine] = useState<Draft>()
  const [asking, setAsking] = useState<Draft>()
  const [theirs, setTheirs] = useState<Draft>()
  const draft = mine ?? is
  const changed = mine !== undefined && !same(mine, is)
  useUnsaved(changed)
  const closed = team.closed !== undefined || !team.may.map
  const edit = (rows: Row[], mode = draft.mode) => {
    const next = { rows, mode, etag: mine?.etag ?? props.etag }
    setMine(same(next, is) && next.etag === props.etag ? undefined : next)
  }
  const conflict = async () => {
    const now = await props.refetch()
    setMine(asking) // it is not lost, also where it was to disconnect, which changes nothing in the form before
    setAsking(undefined)
    if (now) setTheirs(draftOf(now.team, now.etag))
  }
  return (
    <Section title="Identity Provider Groups" count={team.mappings.length}>
      <div className="stack">
        {team.closed && (
          <Banner
            variant={team.closed.reason === 'parent' || team.closed.reason === 'foreign' ? 'warning' : 'info'}
            title="The groups cannot be set here"
            description={
              <>
                {sentence(team.closed.message)} {team.closed.hint && sentence(team.closed.hint)}
              </>
            }
          />
        )}
        {!team.closed && !team.may.map && (
          <p className="inline muted">
            <LockIcon /> Owners of the organization and maintainers of the team set its groups: your role only looks.
          </p>
        )}
        {theirs && mine && (
          <Conflict
            mine={mine}
            theirs={theirs}
            keep={() => {
              const next = { ...mine, etag: theirs.etag }
              setMine(next)
              setTheirs(undefined)
              setAsking(next)
            }}
            take={() => {
              setMine(undefined)
              setTheirs(undefined)
            }}
          />
        )}
        <div className="box">
          {draft.rows.length === 0 ? (
            <p className="row muted flat">
              {team.mappings.length > 0
                ? 'No group is left: saving disconnects the team.'
                : 'No group is connected: the members of the team are managed on GitHub.'}
            </p>
          ) : (
            <ul>
              {draft.rows.map((r) => (
                <li key={keyOf(r)} className="row line">
                  <span className="grow">
                    <strong>
                      <bdi>{r.name}</bdi>
                    </strong>{' '}
                    <Label variant="secondary">{r.source}</Label>
                    {!is.rows.some((s) => keyOf(s) === keyOf(r)) && (
                      <>
                        {' '}
                        <Label variant="accent">not saved</Label>
                      </>
                    )}
                    <span className="small muted block">
                      {r.people !== undefined &&
                        `${r.people.toLocaleString()} ${r.people === 1 ? 'person' : 'people'} · `}
                      {closed ? `at least ${r.role}` : <span className="mono wrap">{r.id}</span>}
                    </span>
                    {r.trouble && <span className="small block bad wrap">{sentence(r.trouble)}</span>}
                  </span>
                  {!closed && (
                    <>
                      <FormControl>
                        <FormControl.Label visuallyHidden>Least role of {r.name}</FormControl.Label>
                        <Select
                          value={r.role}
                          onChange={(e) => edit(draft.rows.map((o) => (o === r ? { ...r, role: e.target.value } : o)))}
                        >
                          <Select.Option value="member">Member</Select.Option>
                          <Select.Option value="maintainer">Maintainer</Select.Option>
                        </Select>
                      </FormControl>
                      <IconButton
                        icon={XIcon}
                        variant="invisible"
                        aria-label={`Remove ${r.name}`}
                        onClick={() => edit(draft.rows.filter((o) => o !== r))}
                      />
                    </>
                  )}
                </li>
              ))}
            </ul>
          )}
          {!closed && (
            <div className="row">
              <Pick
                target={target}
                sources={team.sources}
                limit={team.limit}
                rows={draft.rows}
                pick={(rows) => edit(rows)}
              />
            </div>
          )}
        </div>
        {!closed && draft.rows.length > 0 && (
          <FormControl>
            <FormControl.Label>Members who are in no group</FormControl.Label>
            <Select value={draft.mode} onChange={(e) => edit(draft.rows, e.target.value as Mode)}>
              <Select.Option value="exclusive">Leave the team (exclusive)</Select.Option>
              <Select.Option value="additive">Stay, unless we brought them (additive)</Select.Option>
            </Select>
            <FormControl.Caption>
              Exclusive is what GitHub does. A member who is in any of the groups stays either way.
            </FormControl.Caption>
          </FormControl>
        )}
        {closed && team.mappings.length > 0 && (
          <p className="small muted flat">
            {team.mode === 'additive'
              ? 'Additive: members who are in no group stay, unless we brought them.'
              : 'Exclusive: members who are in no group leave.'}
          </p>
        )}
        {!closed && (
          <div className="inline">
            <Button variant="primary" disabled={!changed} onClick={() => setAsking(draft)}>
              Save changes
            </Button>
            {changed && <Button onClick={() => setMine(undefined)}>Discard</Button>}
            {team.mappings.length > 0 && !changed && (
              <Button variant="danger" onClick={() => setAsking({ ...is, rows: [] })}>
                Disconnect
              </Button>
            )}
            <span className="small muted">
              {changed
                ? 'You see who would come and go before anything is saved.'
                : team.mappings.length > 0 &&
                  `When a group is taken away, who was in the team for it stays for ${duration(team.grace)}.`}
            </span>
          </div>
        )}
        {team.ends && (
          <p className="small muted flat">
            {team.ends.keep ? (
              'Groups were taken away, and their members stay.'
            ) : (
              <>
                Groups were taken away by <bdi>{team.ends.by || 'somebody'}</bdi>: who was in the team only for them
                leaves <When at={team.ends.at} />.
              </>
            )}
          </p>
        )}
      </div>
      {asking && (
        <Preview
          target={target}
          team={team}
          draft={asking}
          close={() => setAsking(undefined)}
          conflict={() => void conflict()}
          saved={() => {
            setAsking(undefined)
            setMine(undefined)
            setTheirs(undefined)
            props.saved()
          }}
        />
      )}
    </Section>
  )
}

/** Conflict shows what somebody else has saved meanwhile beside one's own, and lets the person decide. */
function Conflict(props: { mine: Draft; theirs: Draft; keep: () => void; take: () => void }) {
  return (
    <Banner
      variant="warning"
      title="Somebody else has changed the groups of this team meanwhile"
      description={
        <>
          <p className="flat">Nothing of yours was saved. Look at both, and decide.</p>
          <div className="compared">
            <Side title="Saved by them" of={props.theirs} other={props.mine} />
            <Side title="Yours, not saved" of={props.mine} other={props.theirs} />
          </div>
        </>
      }
      primaryAction={<Banner.PrimaryAction onClick={props.keep}>Save mine over theirs</Banner.PrimaryAction>}
      secondaryAction={<Banner.SecondaryAction onClick={props.take}>Take theirs</Banner.SecondaryAction>}
    />
  )
}

function Side(props: { title: string; of: Draft; other: Draft }) {
  const { of, other } = props
  return (
    <div>
      <h3 className="small">{props.title}</h3>
      <ul className="plain">
        {of.rows.length === 0 && <li className="muted">No group</li>}
        {of.rows.map((r) => {
          const o = other.rows.find((x) => keyOf(x) === keyOf(r))
          return (
            <li key={keyOf(r)}>
              <bdi>
                {r.source}/{r.name}
              </bdi>{' '}
              <span className="small muted">
                {r.role}
                {!o ? ', only here' : o.role !== r.role ? ', another role' : ''}
              </span>
            </li>
          )
        })}
        {of.mode !== other.mode && <li className="small muted">{of.mode}</li>}
      </ul>
    </div>
  )
}

const find = 'Find a group by the beginning of its name'

/** Pick finds groups by the beginning of their names, in all sources that the organization shows, up to its limit. */
function Pick(props: { target: string; sources: string[]; limit: number; rows: Row[]; pick: (rows: Row[]) => void }) {
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const text = useDelayed(typed)
  // Primer gives the focus to the field while its panel is still hidden, where it is not taken.
  useEffect(() => {
    if (!open) return
    const timer = window.setInterval(() => {
      const field = document.querySelector<HTMLInputElement>(`input[aria-label="${find}"]`)
      field?.focus()
      if (field && document.activeElement === field) window.clearInterval(timer)
    }, 20)
    return () => window.clearInterval(timer)
  }, [open])
  const found = useQueries({
    queries: props.sources.map((source) => ({
      queryKey: ['groups', source, props.target, text],
      enabled: open,
      placeholderData: keepPreviousData,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        answer(
          api.GET('/api/musterline/sources/{source}/groups', {
            params: { path: { source }, query: { prefix: text || undefined, target: props.target, size: 20 } },
            signal,
          }),
        ),
    })),
  })
  const failed = found.findIndex((f) => f.error)
  const groups: Group[] = found.flatMap((f) => f.data?.groups ?? [])
  const chosen = new Set(props.rows.map(keyOf))
  const full = props.rows.length >= props.limit
  const item = (r: Row | Group) => ({
    id: keyOf(r),
    text: r.name,
    description: props.sources.length > 1 ? `${r.source} · ${r.id}` : r.id,
    descriptionVariant: 'block' as const,
    disabled: full && !chosen.has(keyOf(r)),
  })
  const items = [
    ...props.rows.filter((r) => !text || r.name.toLowerCase().startsWith(text.toLowerCase())).map(item),
    ...groups.filter((g) => !chosen.has(keyOf(g))).map(item),
  ]
  const selected = items.filter((i) => chosen.has(i.id))
  return (
    <SelectPanel
      title="Identity Provider Groups"
      subtitle={`Up to ${props.limit.toLocaleString()} for a team`}
      placeholder="Add groups"
      inputLabel={find}
      placeholderText="Beginning of a name"
      open={open}
      onOpenChange={(o) => {
        setOpen(o)
        if (!o) setTyped('')
      }}
      renderAnchor={(anchor) => (
        <Button {...anchor} leadingVisual={PlusIcon} aria-haspopup="dialog">
          Add groups
        </Button>
      )}
      items={items}
      selected={selected}
      onSelectedChange={(now: { id?: string | number; text?: string }[]) => {
        const ids = new Set(now.map((n) => String(n.id)))
        const shown = new Set(items.map((i) => i.id))
        const kept = props.rows.filter((r) => !shown.has(keyOf(r)) || ids.has(keyOf(r)))
        const added = groups
          .filter((g) => ids.has(keyOf(g)) && !chosen.has(keyOf(g)))
          .map((g) => ({ source: g.source, id: g.id, name: g.name, role: 'member' }))
        props.pick([...kept, ...added].slice(0, props.limit))
      }}
      filterValue={typed}
      onFilterChange={setTyped}
      loading={open && found.some((f) => f.isPending)}
      notice={
        failed >= 0
          ? { variant: 'warning', text: `Source ${props.sources[failed] ?? ''} cannot be searched now.` }
          : full
            ? { variant: 'info', text: `The team has ${props.limit.toLocaleString()} groups, as many as it may have.` }
            : undefined
      }
      message={
        items.length === 0 && !found.some((f) => f.isPending)
          ? {
              variant: 'empty',
              title: 'No group’s name begins with that',
              body:
                failed >= 0 ? (
                  <>{wordsOf(found[failed]?.error)}</>
                ) : (
                  'Search looks at the beginning of names, in small letters or capitals.'
                ),
            }
          : undefined
      }
      overlayProps={{ width: 'medium', height: 'medium' }}
    />
  )
}

/** PersonLink leads to the page of a person. */
export function PersonLink(props: { user?: string; children: React.ReactNode }) {
  if (!props.user?.includes('/')) return <>{props.children}</>
  return <Link to={pathOf(props.user)}>{props.children}</Link>
}
