import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { Page } from '../parts/page'
import { Shown } from '../parts/shown'

export default function Overview() {
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/status', { signal })),
  })
  return (
    <Page title="Overview">
      <Shown of={status}>
        {(s) => (
          <ul>
            {s.targets?.map((t) => (
              <li key={t.name}>{t.name}</li>
            ))}
          </ul>
        )}
      </Shown>
    </Page>
  )
}
