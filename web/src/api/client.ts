// The way to Musterline's own API. Types are those of its OpenAPI document (`npm run types`), so a page that asks for what is not there does not build.
import createClient from 'openapi-fetch'
import type { paths } from './schema'

export type * from './schema'

export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin' })

/** Pages look again by themselves while they are seen. When nobody has touched one for a minute the server is told so: that is no use of the session,
 * which would else never end on a screen that is left open. */
const attended = 60_000
let touched = Date.now()
for (const act of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'])
  window.addEventListener(act, () => (touched = Date.now()), { capture: true, passive: true })

api.use({
  onRequest({ request }) {
    if (Date.now() - touched > attended) request.headers.set('Musterline-Unattended', '1')
    return request
  },
})

/** What the server says when it refuses: always in these words, which are written for people. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly hint: string,
    readonly request: string,
    /** What is wrong with single fields of what was sent. */
    readonly fields: { key: string; message: string }[] = [],
  ) {
    super(message)
  }

  /** Trying again later may help. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

/** Data with the version that a later change has to name. */
export type Versioned<T> = { data: T; etag: string }

type Outcome<T> = { data?: T; error?: unknown; response: Response }

/** answer returns what the server has answered, or throws the Problem. */
export async function answer<T>(asked: Promise<Outcome<T>>): Promise<T> {
  return (await versioned(asked)).data
}

/** versioned is answer with the ETag beside it. */
export async function versioned<T>(asked: Promise<Outcome<T>>): Promise<Versioned<T>> {
  let outcome: Outcome<T>
  try {
    outcome = await asked
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new Problem(
      0,
      'unavailable',
      'The server cannot be reached.',
      'It may be starting again. Nothing was lost here.',
      '',
    )
  }
  if (!outcome.response.ok) throw problemOf(outcome)
  return { data: outcome.data as T, etag: outcome.response.headers.get('ETag') ?? '' }
}

function problemOf({ error, response }: Outcome<unknown>): Problem {
  const said = (
    error as
      | {
          error?: {
            class?: string
            message?: string
            hint?: string
            request?: string
            fields?: { key: string; message: string }[]
          }
        }
      | undefined
  )?.error
  const request = said?.request ?? response.headers.get('X-Request-Id') ?? ''
  if (response.status === 401) signedOut.dispatchEvent(new Event('signed-out'))
  return new Problem(
    response.status,
    said?.class ?? 'unavailable',
    said?.message ?? `The server answered ${response.status}.`,
    said?.hint ?? '',
    request,
    said?.fields ?? [],
  )
}

/** signedOut hears of every answer that says that nobody is signed in (any more). */
export const signedOut = new EventTarget()
