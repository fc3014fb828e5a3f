import { useQuery } from '@tanstack/react-query'
import { api, versioned } from '../../api/client'

/** useTargetSettings are the settings of a target, with the version that a change names. */
export function useTargetSettings(target: string) {
  return useQuery({
    queryKey: ['explained', 'target', target],
    enabled: target !== '',
    queryFn: ({ signal }) =>
      versioned(api.GET('/api/musterline/targets/{target}/settings', { params: { path: { target } }, signal })),
  })
}

/** useSettings are those of one of enterprise, guards, links and schedule. */
export function useSettings(name: string) {
  return useQuery({
    queryKey: ['explained', 'setting', name],
    queryFn: ({ signal }) =>
      versioned(api.GET('/api/musterline/settings/{name}/explained', { params: { path: { name } }, signal })),
  })
}
