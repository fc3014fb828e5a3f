import { Banner } from '@primer/react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { sentence, wordsOf } from '../../parts/shown'

type Result = components['schemas']['Tested']

/** useTest sends a test to a notification, and keeps what came of the last one. */
export function useTest() {
  const queries = useQueryClient()
  const [busy, setBusy] = useState('')
  const [said, setSaid] = useState<{ name: string; result?: Result; error?: unknown }>()
  const run = async (name: string) => {
    setBusy(name)
    setSaid(undefined)
    try {
      const result = await answer(api.POST('/api/musterline/notifications/{name}/test', { params: { path: { name } } }))
      setSaid({ name, result })
      if (result.turned_on) await queries.invalidateQueries({ queryKey: ['notified'] })
    } catch (error) {
      setSaid({ name, error })
    }
    setBusy('')
  }
  return { busy, said, run, forget: () => setSaid(undefined) }
}

/** Tested says what came of a test. */
export function Tested(props: { of: ReturnType<typeof useTest> }) {
  const { said, forget } = props.of
  return (
    <div role="status" className={said ? 'spaced' : undefined}>
      {said?.result?.delivered && (
        <Banner
          variant="success"
          title={`${said.name} has taken the test`}
          description={`It answered ${said.result.status}.${said.result.turned_on ? ' It is turned on again, and hears how things stand.' : ''}`}
          onDismiss={forget}
        />
      )}
      {said?.result && !said.result.delivered && (
        <Banner
          variant="critical"
          title={`${said.name} has not taken the test`}
          description={sentence(said.result.trouble ?? '')}
          onDismiss={forget}
        />
      )}
      {said?.error !== undefined && (
        <Banner variant="critical" title="No test was sent" description={wordsOf(said.error)} onDismiss={forget} />
      )}
    </div>
  )
}
