import { useEffect, useState } from 'react'
import type { components } from '../../api/client'

type Schemas = components['schemas']
export type Progress = Schemas['RunProgress']

/** A Line is one write as it happened. */
export type Line = {
  id: number
  team: string
  act: string
  account: { id: string; login: string }
  role?: string
  result: string
  error?: string
}

export type Live = {
  /** How the connection stands. */
  link: 'connecting' | 'live' | 'reconnecting' | 'ended'
  progress?: Progress
  /** The newest lines, the newest first: a page that shows ten thousand is read by nobody. */
  lines: Line[]
  /** What ended the run, if it did not go through. */
  problem?: string
}

const most = 200

/**
 * useLive follows a run by server-sent events, from the write after which so many were seen. When the connection breaks, as when the server
 * starts again, it goes on after the last event that it has heard.
 */
export function useLive(run: string, after: number | undefined): Live {
  const [live, setLive] = useState<Live>({ link: 'connecting', lines: [] })
  useEffect(() => {
    if (after === undefined) return
    let last = after
    let tries = 0
    let source: EventSource | undefined
    let timer: number | undefined
    let over = false
    const connect = () => {
      source = new EventSource(`/api/musterline/runs/${encodeURIComponent(run)}/events?brief=true&after=${last}`)
      source.addEventListener('open', () => {
        tries = 0
        setLive((l) => ({ ...l, link: 'live' }))
      })
      source.addEventListener('progress', (e) => {
        const progress = JSON.parse((e as MessageEvent<string>).data) as Progress
        setLive((l) => ({ ...l, link: 'live', progress }))
      })
      source.addEventListener('write', (e) => {
        const said = e as MessageEvent<string>
        const id = Number(said.lastEventId)
        if (id <= last) return
        last = id
        const line = { ...(JSON.parse(said.data) as Omit<Line, 'id'>), id }
        setLive((l) => ({ ...l, link: 'live', lines: [line, ...l.lines].slice(0, most) }))
      })
      source.addEventListener('end', () => end())
      source.addEventListener('error', (e) => {
        if (over) return
        if (e instanceof MessageEvent) {
          end((JSON.parse(e.data as string) as { message: string }).message)
          return
        }
        source?.close()
        tries++
        setLive((l) => ({ ...l, link: 'reconnecting' }))
        timer = window.setTimeout(connect, Math.min(500 * 2 ** (tries - 1), 10_000))
      })
    }
    const end = (problem?: string) => {
      over = true
      source?.close()
      setLive((l) => ({ ...l, link: 'ended', problem }))
    }
    connect()
    return () => {
      over = true
      source?.close()
      window.clearTimeout(timer)
    }
  }, [run, after])
  return live
}
