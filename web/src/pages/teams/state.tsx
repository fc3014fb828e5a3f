import { Label, type LabelProps } from '@primer/react'

/** What each state of a team is called, and what it means. */
export const states: Record<string, { text: string; means: string; variant: LabelProps['variant'] }> = {
  in_sync: { text: 'In sync', means: 'It holds who it should.', variant: 'success' },
  pending: { text: 'Changes pending', means: 'The next sync changes it.', variant: 'accent' },
  waits: {
    text: 'Waits for approval',
    means: 'Guards stop changes of it until somebody approves.',
    variant: 'attention',
  },
  leaving: {
    text: 'Disconnecting',
    means: 'The time of members whose group was taken away ends.',
    variant: 'attention',
  },
  refused: { text: 'Not synchronized', means: 'A mapping of it is not carried out.', variant: 'danger' },
  unread: { text: 'Not read yet', means: 'The next sync reads it.', variant: 'secondary' },
  unmapped: {
    text: 'Not mapped',
    means: 'No group belongs in it: its members are managed on GitHub.',
    variant: 'secondary',
  },
  foreign: { text: 'Managed elsewhere', means: 'Its members cannot be changed here.', variant: 'secondary' },
}

/** TeamState says how a team stands. */
export function TeamState(props: { state: string }) {
  const s = states[props.state]
  return (
    <Label variant={s?.variant ?? 'secondary'} title={s?.means}>
      {s?.text ?? props.state}
    </Label>
  )
}
