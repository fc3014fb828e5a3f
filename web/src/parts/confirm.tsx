import { Button, Dialog, FormControl, Textarea } from '@primer/react'
import { type ReactNode, useRef, useState } from 'react'
import { Refused } from './shown'
import { useUnsaved } from './unsaved'

/** Confirm asks before something is done, for a reason where the audit record keeps one. What was typed stays when the server refuses. */
export function Confirm(props: {
  title: string
  act?: string // without, there is nothing to do but to read
  danger?: boolean
  reason?: 'required' | 'optional'
  does: (reason: string) => Promise<unknown>
  close: () => void
  children?: ReactNode
}) {
  const [reason, setReason] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  useUnsaved(reason !== '' && !busy) // what is done may lead to another page
  const field = useRef<HTMLTextAreaElement>(null)
  const lacks = props.reason === 'required' && !reason.trim()
  const go = async () => {
    if (lacks) {
      field.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    try {
      await props.does(reason.trim())
      props.close()
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={props.title}
      onClose={props.close}
      width="large"
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>{props.act ? 'Cancel' : 'Close'}</Button>
          {props.act && (
            <Button variant={props.danger ? 'danger' : 'primary'} loading={busy} onClick={() => void go()}>
              {props.act}
            </Button>
          )}
        </Dialog.Footer>
      )}
    >
      <div className="stack">
        {props.children && <div>{props.children}</div>}
        {props.reason && (
          <FormControl required={props.reason === 'required'}>
            <FormControl.Label>Reason</FormControl.Label>
            <FormControl.Caption>The audit log keeps it.</FormControl.Caption>
            <Textarea
              ref={field}
              block
              rows={3}
              maxLength={500}
              value={reason}
              onChange={(e) => setReason(e.target.value)}
            />
          </FormControl>
        )}
        <Refused error={error} />
      </div>
    </Dialog>
  )
}
