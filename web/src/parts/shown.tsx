import { AlertIcon, CircleSlashIcon, LockIcon, SearchIcon } from '@primer/octicons-react'
import { Banner, Button, SkeletonBox } from '@primer/react'
import { Blankslate } from '@primer/react/experimental'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ComponentType, ReactNode } from 'react'
import { Problem } from '../api/client'
import { When } from './when'

type Asked<T> = Pick<UseQueryResult<T>, 'data' | 'error' | 'isPending' | 'dataUpdatedAt' | 'refetch' | 'isFetching'>

/** Shown shows an answer once it is there, and until then, or without it, what there is instead: never an empty page, never a guess. */
export function Shown<T>(props: { of: Asked<T>; waiting?: ReactNode; children: (data: T) => ReactNode }) {
  const { data, error, isPending, dataUpdatedAt, refetch, isFetching } = props.of
  if (data !== undefined) {
    return (
      <>
        {error && (
          <Banner
            variant="warning"
            title="This may be out of date"
            description={
              <>
                It is as of <When at={new Date(dataUpdatedAt).toISOString()} />. {wordsOf(error)}
              </>
            }
            primaryAction={
              <Banner.PrimaryAction onClick={() => void refetch()} disabled={isFetching}>
                Try again
              </Banner.PrimaryAction>
            }
          />
        )}
        {props.children(data)}
      </>
    )
  }
  if (isPending) return props.waiting ?? <Waiting />
  return <Failed error={error} again={() => void refetch()} />
}

/** Waiting keeps the room of a list that is on its way. */
export function Waiting(props: { rows?: number }) {
  return (
    <div className="box" role="status" aria-label="Loading">
      {Array.from({ length: props.rows ?? 6 }, (_, i) => (
        <div key={i} className="row">
          <SkeletonBox height="20px" width={`${70 - ((i * 17) % 40)}%`} />
        </div>
      ))}
    </div>
  )
}

/** Failed says why there is nothing to show and what to do about it. */
export function Failed(props: { error: unknown; again?: () => void }) {
  const p = props.error
  const status = p instanceof Problem ? p.status : 0
  const [Icon, title] =
    status === 403
      ? ([LockIcon, 'You may not see this'] as const)
      : status === 404
        ? ([CircleSlashIcon, 'There is no such thing'] as const)
        : ([AlertIcon, 'This could not be shown'] as const)
  return (
    <div role="alert">
      <Blankslate border>
        <Blankslate.Visual>
          <Icon size="medium" />
        </Blankslate.Visual>
        <Blankslate.Heading>{title}</Blankslate.Heading>
        <Blankslate.Description>{wordsOf(p)}</Blankslate.Description>
        {props.again && status !== 403 && status !== 404 && (
          <Button onClick={props.again} variant="primary">
            Try again
          </Button>
        )}
      </Blankslate>
    </div>
  )
}

/** wordsOf is what the server says of an error, with what to do and the id under which its log tells more. */
export function wordsOf(error: unknown): ReactNode {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : 'Something went wrong in this page.'
  return (
    <>
      {sentence(error.message)}
      {error.hint && <> {sentence(error.hint)}</>}
      {error.request && error.status >= 500 && (
        <span className="small muted">
          {' '}
          Request <span className="mono">{error.request}</span>.
        </span>
      )}
    </>
  )
}

/** sentence gives a message its capital and its full stop. */
export function sentence(text: string): string {
  if (!text) return text
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?:…]$/.test(begun) ? begun : `${begun}.`
}

/** Refused shows under a form why what was sent was not taken. */
export function Refused(props: { error: unknown }) {
  if (!props.error) return null
  return <Banner variant="critical" title="Not saved: nothing was changed" description={wordsOf(props.error)} />
}

/** None says that a list is empty, and why that is, or what to do to change it. */
export function None(props: {
  icon?: ComponentType<{ size?: 'medium' }>
  title: string
  children?: ReactNode
  act?: ReactNode
}) {
  const Icon = props.icon ?? SearchIcon
  return (
    <Blankslate border>
      <Blankslate.Visual>
        <Icon size="medium" />
      </Blankslate.Visual>
      <Blankslate.Heading>{props.title}</Blankslate.Heading>
      {props.children && <Blankslate.Description>{props.children}</Blankslate.Description>}
      {props.act && <div className="none-act">{props.act}</div>}
    </Blankslate>
  )
}
