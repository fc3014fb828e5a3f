import { Label } from '@primer/react'
import type { ReactNode } from 'react'
import type { components } from '../../api/client'

export type Line = components['schemas']['PersonLine']
export type Someone = components['schemas']['Someone']

type Variant = 'success' | 'attention' | 'danger' | 'secondary' | 'default' | 'severe'

/** How somebody stands with accounts: the word on the page, its colour, and what it means. */
export const states: Record<string, { text: string; variant: Variant; means: string }> = {
  linked: { text: 'Linked', variant: 'success', means: 'It is known whose account it is.' },
  'not-linked': { text: 'Not linked', variant: 'attention', means: 'No account is known to be theirs.' },
  'not-a-member': {
    text: 'Not a member',
    variant: 'attention',
    means: 'Their account is not in the organization that wants it.',
  },
  ambiguous: { text: 'Ambiguous', variant: 'severe', means: 'Two accounts, or two users, are named.' },
  conflict: {
    text: 'Conflict',
    variant: 'danger',
    means: 'Evidence disagrees: nobody is added and nobody removed until somebody decides.',
  },
  revoked: { text: 'Revoked', variant: 'danger', means: 'The identity behind the link is gone.' },
  inactive: { text: 'Inactive', variant: 'secondary', means: 'Disabled or deleted at the identity provider.' },
}

export function State(props: { of: string }) {
  const s = states[props.of]
  return <Label variant={s?.variant ?? 'default'}>{s?.text ?? props.of}</Label>
}

const verdicts: Record<string, { text: string; variant: Variant }> = {
  in: { text: 'In the team', variant: 'success' },
  out: { text: 'Not in the team', variant: 'secondary' },
  held: { text: 'Held', variant: 'attention' },
  waits: { text: 'Waits', variant: 'attention' },
  refused: { text: 'Refused', variant: 'danger' },
  unknown: { text: 'Not known', variant: 'secondary' },
}

export function Verdict(props: { of: string }) {
  const v = verdicts[props.of]
  return <Label variant={v?.variant ?? 'default'}>{v?.text ?? props.of}</Label>
}

/** By what a link is known, in a few words. */
export const tiers: Record<string, string> = {
  manual: 'said by hand',
  self: 'signed in to both in one sitting',
  saml: 'linked identity (SAML or SCIM)',
  attribute: 'attribute at the identity provider',
  email: 'verified mail address',
}

/** Where a link stands. */
export const linkStates: Record<string, { text: string; variant: Variant }> = {
  standing: { text: 'Standing', variant: 'success' },
  stated: { text: 'Counts from the next sync', variant: 'attention' },
  frozen: { text: 'Frozen', variant: 'danger' },
  revoked: { text: 'Revoked', variant: 'danger' },
}

export function personPath(source: string, id: string): string {
  return `/people/${encodeURIComponent(source)}/${encodeURIComponent(id)}`
}

export function accountPath(host: string, account: string): string {
  return `/people/account/${encodeURIComponent(host)}/${encodeURIComponent(account)}`
}

/** personOf makes the path of "source/id". */
export function pathOf(user: string): string {
  const at = user.indexOf('/')
  return personPath(user.slice(0, at), user.slice(at + 1))
}

export function whyPath(user: string, team: string): string {
  return `/people/why?${new URLSearchParams({ user, team }).toString()}`
}

/** Path shows groups one within the other. */
export function Path(props: { of: string[] }): ReactNode {
  return props.of.map((name, i) => (
    <span key={i}>
      {i > 0 && <span aria-label="within it"> › </span>}
      <bdi>{name}</bdi>
    </span>
  ))
}
