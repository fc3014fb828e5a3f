import { answer, api, Problem } from '../../api/client'

type Accepted = { id: string; events: string }

/** runOf waits until a run has taken a request and returns its number. A plan that has moved meanwhile is a Problem of the kind conflict. */
export function runOf(asked: Accepted, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const events = new EventSource(asked.events)
    let settled = false
    const end = (then: () => void) => {
      if (settled) return
      settled = true
      events.close()
      window.clearInterval(timer)
      then()
    }
    const look = async (problem?: Problem) => {
      try {
        const r = await answer(
          api.GET('/api/musterline/requests/{request}', { params: { path: { request: asked.id } }, signal }),
        )
        if (problem && (problem.kind === 'conflict' || problem.kind === 'paused' || !r.run)) end(() => reject(problem))
        else if (r.run && (problem || heard)) end(() => resolve(r.run ?? ''))
      } catch (e) {
        if (e instanceof Problem && e.passing) return
        end(() => reject(problem ?? (e as Error)))
      }
    }
    let heard = false
    const hear = () => {
      heard = true
      void look()
    }
    // What has come to nothing ends with done as well, and then with an error.
    for (const name of ['plan', 'progress', 'write', 'end']) events.addEventListener(name, hear)
    events.addEventListener('error', (e) => {
      if (!(e instanceof MessageEvent)) {
        // The connection: somebody else may have taken the request meanwhile.
        heard = true
        return
      }
      events.close()
      const said = JSON.parse(e.data as string) as { class: string; message: string; hint?: string; request?: string }
      void look(new Problem(409, said.class, said.message, said.hint ?? '', said.request ?? ''))
    })
    const timer = window.setInterval(() => void look(), 2_000)
    signal?.addEventListener('abort', () => end(() => reject(new DOMException('', 'AbortError'))))
  })
}
