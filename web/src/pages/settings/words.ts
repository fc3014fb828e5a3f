/** The roles, the least first, with what each may. */
export const roles = [
  { name: 'viewer', may: 'look at everything of an organization' },
  { name: 'maintainer', may: 'look, and map teams to groups' },
  { name: 'owner', may: 'do everything within an organization: sync, approve, pause, undo, link' },
  { name: 'administrator', may: 'do everything, also connections, settings, tokens and roles' },
] as const

/** How somebody has signed in, in words. */
export const ways: Record<string, string> = {
  link: 'with a sign-in link',
  oidc: 'with the identity provider',
  github: 'with GitHub',
  token: 'with a token',
}

/** told says in one line what a notification is told of, of the events that there are. */
export function told(events: string[], there: { type: string; title: string }[], targets: string[]): string {
  const titles = there.filter((e) => events.includes(e.type)).map((e) => e.title)
  const what = titles.length === there.length ? 'Everything' : titles.join(' · ')
  return `${what}, ${targets.length === 0 ? 'of all organizations' : `of ${targets.join(', ')}`}`
}
