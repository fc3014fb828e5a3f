import { CheckIcon, CopyIcon } from '@primer/octicons-react'
import { Button } from '@primer/react'
import { useState } from 'react'

/** Copy puts a text on the clipboard, and says so. Where a browser has none to offer, it says what to do instead. */
export function Copy(props: { text: string; label: string }) {
  const [done, setDone] = useState('')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(props.text)
      setDone('Copied')
    } catch {
      setDone('Select the text and copy it by hand')
    }
    window.setTimeout(() => setDone(''), 3000)
  }
  return (
    <>
      <Button
        size="small"
        leadingVisual={done === 'Copied' ? CheckIcon : CopyIcon}
        aria-label={props.label}
        onClick={() => void copy()}
      >
        Copy
      </Button>
      <span role="status" className="small muted">
        {done}
      </span>
    </>
  )
}
