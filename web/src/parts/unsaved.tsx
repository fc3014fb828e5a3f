import { ConfirmationDialog } from '@primer/react'
import { useCallback, useEffect, useId } from 'react'
import { useBlocker } from 'react-router'

/** typed are the forms on the page that hold what is not saved. */
const typed = new Set<string>()

// The browser asks in its own words, and only while there is something to lose: a page that always listens is kept by no back button.
const ask = (e: BeforeUnloadEvent) => e.preventDefault()

function hold(id: string) {
  if (typed.size === 0) window.addEventListener('beforeunload', ask)
  typed.add(id)
}

function release(id: string) {
  typed.delete(id)
  if (typed.size === 0) window.removeEventListener('beforeunload', ask)
}

/** useUnsaved lets nobody leave the page unasked while a form on it has changed. What it returns is called before who has saved is led away. */
export function useUnsaved(changed: boolean): () => void {
  const id = useId()
  useEffect(() => {
    if (!changed) return
    hold(id)
    return () => release(id)
  }, [changed, id])
  return useCallback(() => release(id), [id])
}

/** Leaving asks before a page is left on which something is typed. It stands once, around all pages: the router takes one such question at a time. */
export function Leaving() {
  const leave = useBlocker(
    ({ currentLocation, nextLocation }) => typed.size > 0 && currentLocation.pathname !== nextLocation.pathname,
  )
  if (leave.state !== 'blocked') return null
  return (
    <ConfirmationDialog
      title="Leave without saving?"
      confirmButtonContent="Leave"
      cancelButtonContent="Stay"
      confirmButtonType="danger"
      onClose={(gesture) => (gesture === 'confirm' ? leave.proceed() : leave.reset())}
    >
      What you have changed here would be lost.
    </ConfirmationDialog>
  )
}
