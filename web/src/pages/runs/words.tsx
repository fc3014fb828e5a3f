import '../plan/plan.css'

import { Label } from '@primer/react'

const states: Record<string, { text: string; variant: 'success' | 'danger' | 'attention' | 'secondary' | 'accent' }> = {
  running: { text: 'Running', variant: 'accent' },
  done: { text: 'Done', variant: 'success' },
  objected: { text: 'Done, some changes wait', variant: 'attention' },
  failed: { text: 'Failed', variant: 'danger' },
  cancelled: { text: 'Cancelled', variant: 'secondary' },
  off: { text: 'Planned only', variant: 'secondary' },
  paused: { text: 'Paused', variant: 'attention' },
}

/** stateOf is how a run stands: one that has not ended is running. */
export const stateOf = (run: { state: string; finished_at?: string }) =>
  run.finished_at ? run.state : run.state || 'running'

/** State says how a run stands. */
export function State(props: { of: { state: string; finished_at?: string } }) {
  const state = stateOf(props.of)
  const s = states[state]
  return <Label variant={s?.variant ?? 'secondary'}>{s?.text ?? state}</Label>
}

/** stateWords says how a run stands. */
export const stateWords = (state: string) => states[state]?.text ?? state

/** The states that runs can be filtered by. */
export const chosenStates = ['running', 'done', 'objected', 'failed', 'cancelled', 'off'] as const

export const triggers = {
  schedule: 'on schedule',
  person: 'a person asked',
  event: 'an event',
  undo: 'an undo',
} as const

/** askedBy says what set a run off, and who. */
export function askedBy(trigger: string, requester?: string): string {
  const who = requester && requester !== trigger ? requester : ''
  switch (trigger) {
    case 'schedule':
      return who ? `on schedule (${who})` : 'on schedule'
    case 'event':
      return who ? `after an event (${who})` : 'after an event'
    case 'undo':
      return who ? `as an undo, for ${who}` : 'as an undo'
  }
  return who ? `asked for by ${who}` : 'asked for'
}
