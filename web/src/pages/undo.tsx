import { HistoryIcon } from '@primer/octicons-react'
import { Banner, Button, FormControl, Textarea } from '@primer/react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { Outcome } from '../parts/outcome'
import { Page, Section } from '../parts/page'
import { useFilter } from '../parts/search'
import { Failed, None, Refused, wordsOf } from '../parts/shown'
import { useUnsaved } from '../parts/unsaved'
import { may, useMe } from '../shell/me'
import { Body, Planning } from './plan'
import { type Approval, Approve } from './plan/approve'
import { moved, planAnew, planKey, usePlan } from './plan/asked'
import { runOf } from './plan/follow'
import { count } from '../parts/count'

/** Undo shows what taking a run back would change, before anybody does it. */
export default function Undo() {
  const run = useParams().run ?? ''
  return <UndoOf key={run} run={run} />
}

function UndoOf(props: { run: string }) {
  const { run } = props
  const me = useMe()
  const [filter] = useFilter()
  const named = filter('target') // as the page of the run says it, which then need not be asked
  const of = useQuery({
    queryKey: ['run', run],
    enabled: !named,
    queryFn: ({ signal }) =>
      answer(api.GET('/api/musterline/runs/{run}/summary', { params: { path: { run } }, signal })),
  })
  const target = named || of.data?.target
  return (
    <Page
      title={`Undo run ${run}`}
      crumbs={[
        { to: '/runs', text: 'Runs' },
        { to: `/runs/${run}`, text: `Run ${run}` },
      ]}
      lead="Takes back what the run has written and is still in place."
    >
      {of.error ? (
        <Failed error={of.error} again={() => void of.refetch()} />
      ) : target === undefined ? (
        <Planning />
      ) : (
        <UndoPlan run={run} target={target} operates={may(me.data, 'owner', target)} />
      )}
    </Page>
  )
}

function UndoPlan(props: { run: string; target: string; operates: boolean }) {
  const { run, target, operates } = props
  const of = { target, undo: run }
  const queries = useQueryClient()
  const go = useNavigate()
  const [approve, setApprove] = useState<{ guard?: string }>()
  const [made, setMade] = useState<Approval>()
  const [reason, setReason] = useState('')
  const [lacks, setLacks] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  // It is planned when the page opens: there is no plan of an undo before somebody asks for it.
  const first = useQuery({
    queryKey: ['plan-undo', target, run],
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    queryFn: async () => {
      const p = await planAnew(of)
      queries.setQueryData(planKey(of), p)
      return p.digest
    },
  })
  const plan = usePlan(of, first.data !== undefined)
  const p = plan.data
  const undo = useMutation({
    mutationFn: async () => {
      const asked = await answer(
        api.POST('/api/musterline/runs/{run}/undo', {
          params: { path: { run } },
          body: { digest: p?.digest, reason: reason.trim() },
        }),
      )
      return runOf(asked)
    },
    onSuccess: (id) => go(`/runs/${id}`),
    onError: (e) => {
      if (moved(e)) void first.refetch()
    },
  })
  useUnsaved(reason !== '' && !undo.isPending)
  if (first.isPending || (first.isFetching && !p)) return <Planning />
  if (first.error && !p) return <Failed error={first.error} again={() => void first.refetch()} />
  if (!p) return <Planning />
  const nothing = p.summary.add + p.summary.remove + p.summary.update === 0
  return (
    <>
      <Outcome of={made}>
        {made && (
          <Banner
            variant="success"
            title={`${count(made.changes, 'change')} approved`}
            description="They are undone with the rest when you undo the run below."
          />
        )}
      </Outcome>
      <div className="stack notices">
        {moved(undo.error) && (
          <Banner
            variant="warning"
            title="The world has moved: nothing was undone"
            description={<>{wordsOf(undo.error)} What is below is how it is now.</>}
          />
        )}
      </div>
      {nothing ? (
        <None icon={HistoryIcon} title="Nothing is left to undo">
          Nothing that run {run} has written is still in place. <Link to={`/runs/${run}`}>Back to the run</Link>
        </None>
      ) : (
        <>
          <Body of={of} plan={p} approve={operates ? (guard) => setApprove({ guard }) : undefined} />
          <Section title="Undo the run">
            <div className="box panel stack">
              <Banner
                variant="warning"
                title="The organization will be paused"
                description="The next sync would do the same again. Resume it when the cause is mended."
              />
              {operates ? (
                <>
                  <FormControl required>
                    <FormControl.Label>Reason</FormControl.Label>
                    <FormControl.Caption>The pause says it, and the audit log keeps it.</FormControl.Caption>
                    <Textarea
                      ref={field}
                      block
                      rows={3}
                      maxLength={500}
                      value={reason}
                      onChange={(e) => {
                        setReason(e.target.value)
                        setLacks(false)
                      }}
                    />
                    {lacks && (
                      <FormControl.Validation variant="error">
                        Say why: whoever resumes it will read it.
                      </FormControl.Validation>
                    )}
                  </FormControl>
                  <div className="inline">
                    <Button
                      variant="danger"
                      leadingVisual={HistoryIcon}
                      loading={undo.isPending}
                      disabled={p.ready === 0}
                      onClick={() => {
                        if (reason.trim()) {
                          undo.mutate()
                          return
                        }
                        setLacks(true)
                        field.current?.focus()
                      }}
                    >
                      {`Undo ${count(p.ready, 'change')}`}
                    </Button>
                    {p.summary.objected > 0 && (
                      <span className="small muted">
                        {count(p.summary.objected, 'change')} that guards stop stay as they are until they are approved.
                      </span>
                    )}
                  </div>
                  {!moved(undo.error) && <Refused error={undo.error} />}
                </>
              ) : (
                <p className="muted">Owners of the organization can undo a run.</p>
              )}
            </div>
          </Section>
        </>
      )}
      {approve && (
        <Approve
          of={of}
          plan={p}
          guard={approve.guard}
          close={() => setApprove(undefined)}
          done={(a) => {
            setMade(a)
            void first.refetch()
          }}
        />
      )}
    </>
  )
}
