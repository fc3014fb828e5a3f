import { type ReactNode, useEffect, useRef } from 'react'

/** Outcome is where a page tells what came of an act. The focus goes there: what had it is gone by then, or disabled. */
export function Outcome(props: { of: unknown; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!props.of) return
    // A dialog that closes gives the focus back first.
    const timer = window.setTimeout(() => place.current?.focus())
    return () => window.clearTimeout(timer)
  }, [props.of])
  return (
    <div role="status" className="outcome" ref={place} tabIndex={-1}>
      {props.of ? props.children : null}
    </div>
  )
}
