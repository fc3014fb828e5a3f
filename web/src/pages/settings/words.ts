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
