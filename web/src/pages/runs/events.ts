import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { answer, api, type components, Problem } from '../../api/client'

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
  /** How the connection stands. Whoever is refused follows again once the page was read anew. */
  link: 'connecting' | 'live' | 'reconnecting' | 'refused' | 'ended'
  progress?: Progress
  /** The newest lines, the newest first: a page that shows ten thousand is read by nobody. */
  lines: Line[]
  /** What the server has said of a connection that it has ended, until it goes on. */
  problem?: unknown
  /** Since when it is refused. */
  at?: number
}

const most = 200

/**
 * useLive follows a run by server-sent events, from the write after which so many were seen; asOf is when the page was read. When the
 * connection breaks, as when the server starts again, it goes on after the last event that it has heard. A browser does not tell why there is
 * no connection, so the run is asked for then: who is not let in any more reads so, and an ended session asks to sign in.
 */
export function useLive(run: string, after: number | undefined, asOf: number): Live {
  const [live, setLive] = useState<Live>({ link: 'connecting', lines: [] })
  const queries = useQueryClient()
  const heard = useRef(0)
  const refused = live.link === 'refused' && asOf <= (live.at ?? 0)
  useEffect(() => {
    if (after === undefined || refused) return
    heard.current = Math.max(heard.current, after)
    let tries = 0
    let source: EventSource | undefined
    let timer: number | undefined
    let over = false
    const hears = (change: Partial<Live>) => {
      tries = 0
      setLive((l) => ({ ...l, ...change, link: 'live', problem: undefined }))
    }
    const connect = () => {
      const at = `/api/musterline/runs/${encodeURIComponent(run)}/events?brief=true&after=${heard.current}`
      source = new EventSource(at)
      source.addEventListener('open', () => setLive((l) => (l.problem ? l : { ...l, link: 'live' })))
      source.addEventListener('progress', (e) => {
        hears({ progress: JSON.parse((e as MessageEvent<string>).data) as Progress })
      })
      source.addEventListener('write', (e) => {
        const said = e as MessageEvent<string>
        const id = Number(said.lastEventId)
        if (id <= heard.current) return
        heard.current = id
        const line = { ...(JSON.parse(said.data) as Omit<Line, 'id'>), id }
        setLive((l) => ({ ...l, lines: [line, ...l.lines].slice(0, most) }))
        hears({})
      })
      source.addEventListener('end', () => {
        over = true
        source?.close()
        setLive((l) => ({ ...l, link: 'ended', problem: undefined }))
      })
      source.addEventListener('error', (e) => {
        source?.close()
        if (over) return
        const said = e instanceof MessageEvent ? problemOf(e.data as string) : undefined
        setLive((l) => ({ ...l, link: 'reconnecting', problem: said ?? l.problem }))
        void look()
      })
    }
    const look = async () => {
      try {
        const now = await answer(api.GET('/api/musterline/runs/{run}/summary', { params: { path: { run } } }))
        if (over) return
        queries.setQueryData(['run', run], now)
        if (now.finished_at) {
          setLive((l) => ({ ...l, link: 'ended', problem: undefined }))
          return
        }
      } catch (e) {
        if (over) return
        if (e instanceof Problem && !e.passing) {
          setLive((l) => ({ ...l, link: 'refused', problem: e, at: Date.now() }))
          return
        }
      }
      timer = window.setTimeout(connect, Math.min(500 * 2 ** tries++, 10_000))
    }
    connect()
    return () => {
      over = true
      source?.close()
      window.clearTimeout(timer)
    }
  }, [run, after, refused, queries])
  return live
}

/** problemOf is what the server says when it ends a connection, as it says it in answers. */
function problemOf(text: string): Problem {
  const said = JSON.parse(text) as { class?: string; message: string; hint?: string; request?: string }
  return new Problem(0, said.class ?? '', said.message, said.hint ?? '', said.request ?? '')
}
