import { SearchIcon } from '@primer/octicons-react'
import { Button, TextInput } from '@primer/react'
import { useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'

/** useFilter keeps what a list is filtered by in the address, so that it can be sent to somebody. Changing a filter begins at the first page. */
export function useFilter(): [(key: string) => string, (changes: Record<string, string>) => void] {
  const [params, set] = useSearchParams()
  return [
    (key) => params.get(key) ?? '',
    (changes) =>
      set(
        (old) => {
          const next = new URLSearchParams(old)
          if (!('cursor' in changes)) next.delete('cursor')
          for (const [k, v] of Object.entries(changes)) {
            if (v) next.set(k, v)
            else next.delete(k)
          }
          return next
        },
        { replace: !('cursor' in changes) },
      ),
  ]
}

/** useDelayed follows a value a moment after its last change. */
export function useDelayed(value: string): string {
  const [late, setLate] = useState(value)
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(value), 250)
    return () => window.clearTimeout(timer)
  }, [value])
  return late
}

/** Search is a field that asks the server a moment after the last key. */
export function Search(props: { label: string; value: string; onChange: (value: string) => void }) {
  const { value, onChange } = props
  const [typed, setTyped] = useState(value)
  const [from, setFrom] = useState(value)
  if (from !== value) {
    // The address changed under us, as by the back button.
    setFrom(value)
    setTyped(value)
  }
  const late = useDelayed(typed)
  useEffect(() => {
    if (late === typed && late !== value) onChange(late)
  }, [late, typed, value, onChange])
  return (
    <TextInput
      className="grow"
      type="search"
      leadingVisual={SearchIcon}
      aria-label={props.label}
      placeholder={props.label}
      value={typed}
      onChange={(e) => setTyped(e.target.value)}
    />
  )
}

/** Pager leads through a list that comes in pages by cursor. Back is the browser's own. */
export function Pager(props: { cursor: string; next: string | undefined; go: (cursor: string) => void }) {
  if (!props.cursor && !props.next) return null
  return (
    <nav className="pager" aria-label="Pages">
      {props.cursor && <Button onClick={() => props.go('')}>First page</Button>}
      <Button disabled={!props.next} onClick={() => props.next && props.go(props.next)}>
        Next page
      </Button>
    </nav>
  )
}
