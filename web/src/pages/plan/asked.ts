import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api, Problem, type components } from '../../api/client'

type Schemas = components['schemas']
export type ShownPlan = Schemas['ShownPlan']
export type TeamChanges = Schemas['TeamChanges']
export type PlanChange = Schemas['PlanChange']
export type GuardSays = Schemas['GuardSays']

/** A plan is that of a sync, or of taking a run back. */
export type Of = { target: string; undo?: string }

export const planKey = (of: Of) => ['plan', of.target, of.undo ?? '']

/** usePlan is the plan that was made last, in figures. */
export function usePlan(of: Of, on = true) {
  return useQuery({
    queryKey: planKey(of),
    enabled: on,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/targets/{target}/shown-plan', {
          params: { path: { target: of.target }, query: { undo: of.undo } },
          signal,
        }),
      ),
  })
}

/** planAnew reads everything and plans. It may take as long as reading takes. */
export function planAnew(of: Of) {
  return answer(
    api.POST('/api/musterline/targets/{target}/shown-plan', {
      params: { path: { target: of.target } },
      body: of.undo ? { undo: of.undo } : {},
    }),
  )
}

/** What is chosen of the changes of a plan. */
export type Choice = {
  teams?: string[]
  guards?: string[]
  act?: string
  q?: string
  objected?: boolean
}

/** useChanges is a page of the changes of the plan with that digest. */
export function useChanges(of: Of, digest: string, choice: Choice, cursor: string, on = true) {
  return useQuery({
    queryKey: [...planKey(of), 'changes', digest, choice, cursor],
    enabled: on && digest !== '',
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/targets/{target}/shown-plan/changes', {
          params: {
            path: { target: of.target },
            query: {
              undo: of.undo,
              digest,
              team: choice.teams,
              guard: choice.guards,
              act: (choice.act || undefined) as 'add' | undefined,
              q: choice.q || undefined,
              objected: choice.objected || undefined,
              cursor: cursor || undefined,
            },
          },
          signal,
        }),
      ),
  })
}

/** moved reports whether an error says that the world, or the plan, is another by now. */
export function moved(error: unknown): boolean {
  return error instanceof Problem && (error.kind === 'stale' || error.kind === 'conflict')
}
