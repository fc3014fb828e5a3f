import {
  Banner,
  Button,
  Checkbox,
  CheckboxGroup,
  Dialog,
  FormControl,
  Radio,
  RadioGroup,
  Spinner,
  Textarea,
} from '@primer/react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { Pager, Search } from '../../parts/search'
import { Failed, Refused, Shown, Waiting, wordsOf } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { moved, type Of, planKey, type ShownPlan, useChanges } from './asked'
import { Teams } from './changes'
import { count } from '../../parts/count'

export type Approval = components['schemas']['Approval']

type By = 'all' | 'guards' | 'teams'

/**
 * Approve lets changes pass that guards stop: it shows exactly which, asks for the reason, and says so when the world has moved meanwhile.
 * What passes is planned anew by the server, so that nobody says yes to something old.
 */
export function Approve(props: {
  of: Of
  plan: ShownPlan
  guard?: string
  close: () => void
  done: (made: Approval) => void
}) {
  const { of, plan } = props
  const queries = useQueryClient()
  const stopping = plan.guards.filter((g) => g.changes > 0)
  const [by, setBy] = useState<By>(props.guard ? 'guards' : 'all')
  const [guards, setGuards] = useState<string[]>(props.guard ? [props.guard] : [])
  const [teams, setTeams] = useState<string[]>([])
  const [reason, setReason] = useState('')
  useUnsaved(reason !== '')
  const [cursor, setCursor] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)

  const wish = {
    undo: of.undo,
    guards: by === 'guards' ? guards : undefined,
    teams: by === 'teams' ? teams : undefined,
  }
  const incomplete = (by === 'guards' && guards.length === 0) || (by === 'teams' && teams.length === 0)
  const preview = useMutation({
    mutationFn: async (asked: typeof wish) => {
      const shown = await answer(
        api.POST('/api/musterline/targets/{target}/approvals', {
          params: { path: { target: of.target } },
          body: { ...asked, preview: true, show: true },
        }),
      )
      setCursor('')
      await queries.invalidateQueries({ queryKey: planKey(of), exact: true })
      return shown
    },
  })
  const { mutate: look, reset: unlook } = preview
  const first = useRef(true)
  useEffect(() => {
    if (first.current) look(wish)
    first.current = false
    // Only when it opens: later it is asked for.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [look])
  const choose = (change: () => void) => {
    change()
    unlook()
  }

  const approve = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/musterline/targets/{target}/approvals', {
          params: { path: { target: of.target } },
          body: { ...wish, digest: preview.data?.digest, reason: reason.trim() },
        }),
      ),
    onSuccess: (made) => {
      props.done(made)
      props.close()
    },
  })
  const passes = preview.data?.changes ?? 0
  const yes = () => {
    if (!reason.trim()) {
      field.current?.focus()
      return
    }
    approve.mutate()
  }
  return (
    <Dialog
      title={of.undo ? 'Approve changes of the undo' : 'Approve changes'}
      width="xlarge"
      onClose={props.close}
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>Cancel</Button>
          {preview.data && passes > 0 ? (
            <Button variant="primary" loading={approve.isPending} onClick={yes}>
              {`Approve ${count(passes, 'change')}`}
            </Button>
          ) : (
            <Button variant="primary" loading={preview.isPending} disabled={incomplete} onClick={() => look(wish)}>
              Show what would pass
            </Button>
          )}
        </Dialog.Footer>
      )}
    >
      <div className="stack">
        <RadioGroup name="by" onChange={(v) => v && choose(() => setBy(v as By))}>
          <RadioGroup.Label>Which changes</RadioGroup.Label>
          <FormControl>
            <Radio value="all" checked={by === 'all'} />
            <FormControl.Label>All that wait ({plan.summary.objected.toLocaleString()})</FormControl.Label>
          </FormControl>
          <FormControl>
            <Radio value="guards" checked={by === 'guards'} />
            <FormControl.Label>Those that some guards stop</FormControl.Label>
          </FormControl>
          <FormControl>
            <Radio value="teams" checked={by === 'teams'} />
            <FormControl.Label>Those of some teams</FormControl.Label>
          </FormControl>
        </RadioGroup>
        {by === 'guards' && (
          <CheckboxGroup>
            <CheckboxGroup.Label>Guards</CheckboxGroup.Label>
            {stopping.map((g) => (
              <FormControl key={g.guard}>
                <Checkbox
                  value={g.guard}
                  checked={guards.includes(g.guard)}
                  onChange={(e) => choose(() => setGuards(toggled(guards, g.guard, e.target.checked)))}
                />
                <FormControl.Label>
                  {g.guard} ({count(g.changes, 'change')})
                </FormControl.Label>
              </FormControl>
            ))}
          </CheckboxGroup>
        )}
        {by === 'teams' && (
          <ChooseTeams of={of} digest={plan.digest} chosen={teams} choose={(t) => choose(() => setTeams(t))} />
        )}
        {preview.isPending && (
          <p className="inline" role="status">
            <Spinner size="small" /> Reading the sources and the organization…
          </p>
        )}
        {preview.error && <Failed error={preview.error} again={() => look(wish)} />}
        {preview.data && preview.data.plan.digest !== plan.digest && plan.digest !== '' && (
          <Banner
            variant="warning"
            title="The plan has moved since you opened it"
            description="What is below is how it is now."
          />
        )}
        {preview.data && passes === 0 && (
          <Banner variant="info" title="Nothing waits any more" description="No guard objects to anything now." />
        )}
        {preview.data && passes > 0 && (
          <>
            <section aria-label="What would pass" className="passes">
              <h2 className="passes-title">{count(passes, 'change')} would pass</h2>
              <p className="small muted">
                These and no others, for 72 hours. Each is used up when it is done or no longer wanted.
              </p>
              <Passing of={of} digest={preview.data.plan.digest} wish={wish} cursor={cursor} go={setCursor} />
            </section>
            <FormControl required>
              <FormControl.Label>Reason</FormControl.Label>
              <FormControl.Caption>The audit log keeps it.</FormControl.Caption>
              <Textarea
                ref={field}
                block
                rows={3}
                maxLength={500}
                value={reason}
                onChange={(e) => setReason(e.target.value)}
              />
            </FormControl>
          </>
        )}
        {moved(approve.error) ? (
          <Banner
            variant="critical"
            title="The plan has moved: nothing was approved"
            description={wordsOf(approve.error)}
            primaryAction={
              <Banner.PrimaryAction
                onClick={() => {
                  approve.reset()
                  look(wish)
                }}
              >
                Show what would pass now
              </Banner.PrimaryAction>
            }
          />
        ) : (
          <Refused error={approve.error} />
        )}
      </div>
    </Dialog>
  )
}

/** Passing lists what would pass, by the page. */
function Passing(props: {
  of: Of
  digest: string
  wish: { guards?: string[]; teams?: string[] }
  cursor: string
  go: (cursor: string) => void
}) {
  const list = useChanges(props.of, props.digest, { ...props.wish, objected: true }, props.cursor)
  return (
    <Shown of={list} waiting={<Waiting rows={3} />}>
      {(l) => (
        <>
          <Teams target={props.of.target} teams={l.teams} />
          <Pager cursor={props.cursor} next={l.next} go={props.go} />
        </>
      )}
    </Shown>
  )
}

/** ChooseTeams finds teams in which changes wait. There may be a thousand: the server looks. */
function ChooseTeams(props: { of: Of; digest: string; chosen: string[]; choose: (teams: string[]) => void }) {
  const [q, setQ] = useState('')
  const found = useChanges(props.of, props.digest, { q, objected: true }, '')
  const teams = found.data?.teams ?? []
  const shown = [...props.chosen.filter((c) => !teams.some((t) => t.slug === c)), ...teams.map((t) => t.slug)]
  return (
    <div className="stack">
      <Search label="Find a team in which changes wait" value={q} onChange={setQ} />
      <CheckboxGroup>
        <CheckboxGroup.Label>Teams</CheckboxGroup.Label>
        {shown.map((slug) => (
          <FormControl key={slug}>
            <Checkbox
              value={slug}
              checked={props.chosen.includes(slug)}
              onChange={(e) => props.choose(toggled(props.chosen, slug, e.target.checked))}
            />
            <FormControl.Label>
              <bdi>{slug}</bdi>
            </FormControl.Label>
          </FormControl>
        ))}
      </CheckboxGroup>
      {shown.length === 0 && !found.isPending && (
        <p className="muted small">No team with changes that wait has this in its name.</p>
      )}
      {found.data?.next && <p className="muted small">There are more: type a part of the name.</p>}
    </div>
  )
}

function toggled(list: string[], one: string, on: boolean): string[] {
  return on ? [...list.filter((l) => l !== one), one] : list.filter((l) => l !== one)
}
