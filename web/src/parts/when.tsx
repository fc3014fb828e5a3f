import { RelativeTime } from '@primer/react'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** When is a moment: how long ago, or until then; the exact time in the reader's zone shows on hover and to a screen reader. */
export function When(props: { at: string | undefined | null; none?: string }) {
  const at = props.at ? new Date(props.at) : undefined
  if (!at || Number.isNaN(at.getTime()) || at.getTime() <= 0)
    return <span className="muted">{props.none ?? 'never'}</span>
  return (
    <RelativeTime date={at} title={exact.format(at)} tense="auto">
      {short.format(at)}
    </RelativeTime>
  )
}

/** Moment is a moment written out, for records. */
export function Moment(props: { at: string }) {
  const at = new Date(props.at)
  return (
    <time dateTime={props.at} title={exact.format(at)}>
      {short.format(at)}
    </time>
  )
}

/** lasted says how long something took: "4 m 12 s". */
export function lasted(from: string, to: string): string {
  return duration((new Date(to).getTime() - new Date(from).getTime()) / 1000)
}

/** duration writes seconds as people say them. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 1) return 'under 1 s'
  if (s < 60) return `${s} s`
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} m ${s % 60} s` : `${s / 60} m`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`
}
