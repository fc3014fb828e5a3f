import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'

/** useMe is who is signed in. */
export function useMe() {
  return useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/me', { signal })),
    staleTime: 60_000,
  })
}
