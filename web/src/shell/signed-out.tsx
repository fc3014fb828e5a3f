import { Button, Dialog } from '@primer/react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '../api/client'

/** SignedOut stands over the page when the session has ended. The page under it stays as it is, so that nothing typed is lost. */
export function SignedOut(props: { again: () => void }) {
  const queries = useQueryClient()
  const [still, setStill] = useState(false)
  const look = async () => {
    const me = await answer(api.GET('/api/musterline/me')).catch(() => undefined)
    if (!me?.signed_in) {
      setStill(true)
      return
    }
    props.again()
    await queries.invalidateQueries()
  }
  return (
    <Dialog
      title="Your session has ended"
      onClose={props.again}
      renderFooter={() => (
        <Dialog.Footer>
          <Button as="a" href="/console/signed-in" target="_blank" rel="noopener">
            Sign in, in another tab
          </Button>
          <Button variant="primary" onClick={() => void look()}>
            Go on
          </Button>
        </Dialog.Footer>
      )}
    >
      <p>Nothing that you have typed here is lost. Sign in again in another tab, come back, and go on.</p>
      {still && <p role="alert">You are not signed in yet.</p>}
    </Dialog>
  )
}
