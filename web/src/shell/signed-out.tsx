import { Button, Dialog } from '@primer/react'
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'
import { answer, api } from '../api/client'
import type { Me } from './me'

/** SignedOut stands over the page when the session has ended. The page under it stays as it is, so that nothing typed is lost. */
export function SignedOut(props: { again: () => void }) {
  const { again } = props
  const queries = useQueryClient()
  const [still, setStill] = useState(false)
  const [other, setOther] = useState<Me>()
  const goOn = useCallback(
    async (me: Me) => {
      queries.setQueryData(['me'], me)
      again()
      await queries.invalidateQueries()
    },
    [again, queries],
  )
  const look = useCallback(
    async (asked: boolean) => {
      const me = await answer(api.GET('/api/musterline/me')).catch(() => undefined)
      const was = queries.getQueryData<Me>(['me'])
      if (!me?.signed_in) {
        if (asked) setStill(true)
      } else if (was?.subject !== me.subject) setOther(me)
      else await goOn(me)
    },
    [goOn, queries],
  )
  // Who comes back from the other tab has signed in there, most likely.
  useEffect(() => {
    const back = () => {
      if (document.visibilityState === 'visible') void look(false)
    }
    window.addEventListener('focus', back)
    document.addEventListener('visibilitychange', back)
    return () => {
      window.removeEventListener('focus', back)
      document.removeEventListener('visibilitychange', back)
    }
  }, [look])
  return (
    <Dialog
      title="Your session has ended"
      onClose={again}
      renderFooter={() => (
        <Dialog.Footer>
          <Button as="a" href="/console/signed-in" target="_blank" rel="noopener">
            Sign in, in another tab
          </Button>
          <Button variant="primary" onClick={() => void (other ? goOn(other) : look(true))}>
            {other ? `Go on as ${other.name ?? other.login ?? 'somebody else'}` : 'Go on'}
          </Button>
        </Dialog.Footer>
      )}
    >
      <p>Nothing that you have typed here is lost. Sign in again in another tab, come back, and go on.</p>
      {still && !other && <p role="alert">You are not signed in yet.</p>}
      {other && (
        <p role="alert">
          You are signed in as <bdi>{other.name ?? other.login}</bdi> now, and this page was opened by somebody else.
          What you save here is saved as <bdi>{other.name ?? other.login}</bdi>.
        </p>
      )}
    </Dialog>
  )
}
