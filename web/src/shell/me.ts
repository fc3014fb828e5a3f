import { useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type components, signedOut } from '../api/client'

export type Me = components['schemas']['Me']

/** useMe is who is signed in. Who was stays so on the page when the session has ended, so that the page and what is typed on it stay too. */
export function useMe() {
  const queries = useQueryClient()
  return useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => {
      const now = await answer(api.GET('/api/musterline/me', { signal }))
      const was = queries.getQueryData<Me>(['me'])
      if (now.signed_in || !was?.signed_in) return now
      signedOut.dispatchEvent(new Event('signed-out'))
      return was
    },
    staleTime: 60_000,
  })
}

const ranks = ['', 'viewer', 'maintainer', 'owner', 'administrator']

/** The roles that can be given, the least first. */
export type Role = '' | 'viewer' | 'maintainer' | 'owner' | 'administrator'

/** roleOn is the most that somebody is on a target; without a target, on everything. It is for what a page offers: the server decides. */
export function roleOn(me: Me | undefined, target = ''): Role {
  let most: Role = ''
  for (const r of me?.roles ?? []) {
    if ((r.target === '' || r.target === target) && ranks.indexOf(r.role) > ranks.indexOf(most)) most = r.role as Role
  }
  return most
}

/** may reports whether somebody is at least this on a target; without a target, on everything. */
export function may(me: Me | undefined, least: Role, target = ''): boolean {
  return ranks.indexOf(roleOn(me, target)) >= ranks.indexOf(least)
}

/** looks reports whether somebody may look at whole organizations. Whom GitHub alone calls a maintainer may look after their teams. */
export function looks(me: Me | undefined): boolean {
  return (me?.roles ?? []).some((r) => !(r.role === 'maintainer' && r.from === 'github'))
}
