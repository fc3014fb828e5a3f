import { Banner, Button, Dialog, FormControl, Label, Spinner, Textarea } from '@primer/react'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { answer, api, type components, Problem } from '../../api/client'
import { count } from '../../parts/count'
import { Failed, Refused } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { When } from '../../parts/when'
import { type Draft, groupsOf, type TeamPage } from './groups'

type Answer = components['schemas']['Preview']
type Change = components['schemas']['ForeseenChange']

/** Preview shows who would come and go before the groups of a team are saved, and saves exactly that. */
export function Preview(props: {
  target: string
  team: TeamPage
  draft: Draft
  close: () => void
  saved: () => void
  conflict: () => void
}) {
  const { target, team, draft } = props
  const path = { target, team: team.id ?? team.slug }
  const ends = draft.rows.length === 0
  const wish = groupsOf(draft)
  const [reason, setReason] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  useUnsaved(reason !== '')
  const field = useRef<HTMLTextAreaElement>(null)
  const preview = useQuery({
    queryKey: ['preview', target, team.slug, wish],
    gcTime: 0,
    staleTime: Infinity,
    retry: false,
    refetchOnWindowFocus: false,
    queryFn: ({ signal }) =>
      answer(
        api.POST('/api/musterline/targets/{target}/teams/{team}/mappings/preview', {
          params: { path },
          body: wish,
          signal,
        }),
      ),
  })
  const accepts = team.may.approve ? (preview.data?.accepted ?? 0) : 0
  const save = async () => {
    if (!preview.data) return
    if (accepts > 0 && !reason.trim()) {
      field.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    try {
      await answer(
        api.PUT('/api/musterline/targets/{target}/teams/{team}/mappings', {
          params: { path, header: { 'If-Match': draft.etag } },
          body: { ...wish, seen: preview.data.seen, reason: reason.trim() || undefined },
        }),
      )
      props.saved()
    } catch (e) {
      if (e instanceof Problem && e.status === 412) {
        props.conflict()
        return
      }
      setError(e)
      setBusy(false)
    }
  }
  const moved = error instanceof Problem && error.status === 409
  return (
    <Dialog
      title={ends ? `Disconnect ${team.name}` : `Save the groups of ${team.name}`}
      subtitle="Who would come and go"
      onClose={props.close}
      width="xlarge"
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>Cancel</Button>
          {moved ? (
            <Button
              variant="primary"
              onClick={() => {
                setError(undefined)
                void preview.refetch()
              }}
            >
              Look again
            </Button>
          ) : (
            <Button
              variant={ends ? 'danger' : 'primary'}
              disabled={!preview.data || preview.isFetching}
              loading={busy}
              onClick={() => void save()}
            >
              {ends ? 'Disconnect' : 'Save changes'}
            </Button>
          )}
        </Dialog.Footer>
      )}
    >
      {preview.isFetching ? (
        <p className="inline" role="status">
          <Spinner size="small" srText={null} /> The organization is being planned with these groups. This asks GitHub,
          and may take a moment.
        </p>
      ) : preview.data ? (
        <div className="stack">
          <Foreseen of={preview.data} team={team} ends={ends} />
          {preview.data.accepted > 0 &&
            (team.may.approve ? (
              <FormControl required>
                <FormControl.Label>Why is that right?</FormControl.Label>
                <FormControl.Caption>
                  Saving accepts exactly{' '}
                  {preview.data.accepted === 1 ? 'the change' : `the ${preview.data.accepted.toLocaleString()} changes`}{' '}
                  that guards stop here, and nothing else. The audit log keeps your reason.
                </FormControl.Caption>
                <Textarea
                  ref={field}
                  block
                  rows={2}
                  maxLength={500}
                  value={reason}
                  onChange={(e) => setReason(e.target.value)}
                />
              </FormControl>
            ) : (
              <Banner
                variant="info"
                title={`${count(preview.data.accepted, 'change waits', 'changes wait')} until an owner approves`}
                description="The groups are saved, and what guards do not stop is done."
              />
            ))}
          <Refused error={error} />
        </div>
      ) : (
        <Failed error={preview.error} again={() => void preview.refetch()} />
      )}
    </Dialog>
  )
}

/** few is how many changes are shown before somebody asks for all. */
const few = 25

function Foreseen(props: { of: Answer; team: TeamPage; ends: boolean }) {
  const p = props.of
  const of = (...acts: string[]) => p.changes.filter((c) => acts.includes(c.act))
  const parts = [
    { title: 'Join', kind: 'add', sign: '+', changes: of('add') },
    { title: 'Leave', kind: 'remove', sign: '−', changes: of('remove', 'cancel') },
    { title: 'Change role', kind: 'update', sign: '~', changes: of('update') },
    { title: 'Leave after the grace', kind: 'remove', sign: '−', changes: of('leave') },
  ].filter((s) => s.changes.length > 0)
  return (
    <>
      {p.beside?.paused && (
        <Banner
          variant="warning"
          title="The organization is paused"
          description="The groups are saved, and nothing comes about before somebody resumes it."
        />
      )}
      {p.beside?.apply === 'off' && (
        <Banner
          variant="info"
          title="Plans of this organization are only shown"
          description="The setting apply is off."
        />
      )}
      {p.beside?.notes && p.beside.notes.length > 0 && (
        <ul className="plain small">
          {p.beside.notes.map((n) => (
            <li key={n} className="wrap">
              <bdi>{n}</bdi>
            </li>
          ))}
        </ul>
      )}
      {p.refused.map((r, i) => (
        <Banner key={i} variant="warning" title="A group is not carried out" description={<bdi>{r.message}</bdi>} />
      ))}
      {parts.length === 0 ? (
        <p className="flat">
          {props.ends && props.team.members > 0
            ? 'Nobody leaves: the members stay, and are managed on GitHub from then on.'
            : 'Nobody comes or goes.'}
        </p>
      ) : (
        parts.map((s) => <Part key={s.title} {...s} />)
      )}
      {p.objections.length > 0 && (
        <section aria-label="Objections">
          <h3 className="part">Guards object</h3>
          <ul className="box plain">
            {p.objections.map((o, i) => (
              <li key={i} className="row">
                <span className="inline">
                  <Label variant="attention">{o.guard}</Label>
                  <span className="small muted">stops {count(o.changes, 'change', 'changes')}</span>
                </span>
                <span className="block small wrap">
                  <bdi>{o.message}</bdi>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {p.held.length > 0 && (
        <details>
          <summary>
            {count(p.held.length, 'person is', 'people are')} held back: they should be in the team and cannot be yet
          </summary>
          <ul className="box plain">
            {p.held.slice(0, 200).map((h) => (
              <li key={h.user} className="row">
                <span className="inline">
                  <bdi>{h.name || h.user}</bdi> <Label variant="attention">{h.reason}</Label>
                </span>
                <span className="block small muted wrap">
                  <bdi>{h.message}</bdi>
                </span>
              </li>
            ))}
          </ul>
          {p.held.length > 200 && <p className="small muted">And {(p.held.length - 200).toLocaleString()} more.</p>}
        </details>
      )}
    </>
  )
}

function Part(props: { title: string; kind: string; sign: string; changes: Change[] }) {
  const [all, setAll] = useState(false)
  const shown = all ? props.changes : props.changes.slice(0, few)
  return (
    <section aria-label={props.title}>
      <h3 className="part">
        {props.title} <span className="muted">{props.changes.length.toLocaleString()}</span>
      </h3>
      <ul className="plain">
        {shown.map((c) => (
          <li key={`${c.act} ${c.account.id}`} className={`change ${props.kind}`}>
            <span className="sign" aria-hidden="true">
              {props.sign}
            </span>
            <span className="grow">
              <span className="inline">
                <strong>
                  <bdi>{c.account.login}</bdi>
                </strong>
                {c.name && (
                  <span className="muted">
                    <bdi>{c.name}</bdi>
                  </span>
                )}
                {c.role && <Label variant="secondary">{c.from ? `${c.from} → ${c.role}` : c.role}</Label>}
                {c.invite && <Label>invited again</Label>}
                {c.objected.map((g) => (
                  <Label key={g} variant="attention">
                    {`stopped by ${g}`}
                  </Label>
                ))}
                {c.at && (
                  <span className="small">
                    leaves <When at={c.at} />
                  </span>
                )}
              </span>
              {c.why && (
                <span className="small muted wrap block">
                  <bdi>{c.why}</bdi>
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
      {props.changes.length > shown.length && (
        <Button size="small" onClick={() => setAll(true)}>
          Show all {props.changes.length.toLocaleString()}
        </Button>
      )}
    </section>
  )
}
