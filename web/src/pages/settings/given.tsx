// What tokens and roles have in common: a list with a button above it that gives another, each with a way to take it back, and a role on an organization.
import { Banner, Button, Dialog, FormControl, Select } from '@primer/react'
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { type ComponentType, type ReactNode, type RefObject, useState } from 'react'
import { answer, api } from '../../api/client'
import { Page } from '../../parts/page'
import { Pager, useFilter } from '../../parts/search'
import { None, Refused, Shown } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { roles } from './words'

/** useCursor is where a list goes on, as the address has it. */
export function useCursor(): string {
  const [filter] = useFilter()
  return filter('cursor')
}

/** Given is the page of a list. */
export function Given<T extends { next?: string }>(props: {
  title: string
  lead: string
  act: string
  give: () => void
  list: UseQueryResult<T>
  rows: (of: T) => ReactNode[]
  none: { icon: ComponentType<{ size?: 'medium' }>; title: string; text: string }
  told?: ReactNode // what came of it last
  children: ReactNode // the dialogs
}) {
  const [filter, change] = useFilter()
  return (
    <Page
      title={props.title}
      lead={props.lead}
      acts={
        <Button variant="primary" onClick={props.give}>
          {props.act}
        </Button>
      }
    >
      {props.told}
      <Shown of={props.list}>
        {(l) => {
          const rows = props.rows(l)
          return rows.length === 0 ? (
            <None icon={props.none.icon} title={props.none.title}>
              {props.none.text}
            </None>
          ) : (
            <div className="box">
              <ul>{rows}</ul>
            </div>
          )
        }}
      </Shown>
      <Pager cursor={filter('cursor')} next={props.list.data?.next} go={(c) => change({ cursor: c })} />
      {props.children}
    </Page>
  )
}

/** Row is one of the list, with the button that takes it back. */
export function Row(props: {
  act?: string
  label?: string
  take?: () => void
  children: ReactNode
  beside?: ReactNode
}) {
  return (
    <li className="row line">
      <div className="grow">{props.children}</div>
      {props.beside}
      {props.act && (
        <Button size="small" variant="danger" aria-label={props.label} onClick={props.take}>
          {props.act}
        </Button>
      )}
    </li>
  )
}

type RoleName = (typeof roles)[number]['name']

/** What is given: a role, on an organization or on all. */
export type Gift = { role: RoleName; target?: string }

/** Give asks for what is given. The one field that must be filled is named, and gets the focus when it is not. */
export function Give(props: {
  title: string
  act: string
  needs: RefObject<HTMLInputElement | null> // the field that must be filled
  filled: boolean
  lacking: (lacks: boolean) => void
  close: () => void
  give: (gift: Gift) => Promise<unknown>
  above: ReactNode
  below?: ReactNode
}) {
  const [role, setRole] = useState<RoleName>('viewer')
  const [target, setTarget] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  useUnsaved(props.filled)
  const configured = useQuery({
    queryKey: ['configured'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const all = role === 'administrator'
  const give = async () => {
    props.lacking(!props.filled)
    if (!props.filled) {
      props.needs.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    try {
      await props.give({ role, target: all ? undefined : target || undefined })
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={props.title}
      onClose={props.close}
      initialFocusRef={props.needs}
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>Cancel</Button>
          <Button variant="primary" loading={busy} onClick={() => void give()}>
            {props.act}
          </Button>
        </Dialog.Footer>
      )}
    >
      <form
        className="stack"
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          void give()
        }}
      >
        {props.above}
        <FormControl>
          <FormControl.Label>Role</FormControl.Label>
          <Select block value={role} onChange={(e) => setRole(e.target.value as RoleName)}>
            {roles.map((r) => (
              <Select.Option key={r.name} value={r.name}>
                {r.name}
              </Select.Option>
            ))}
          </Select>
          <FormControl.Caption>May {roles.find((r) => r.name === role)?.may}.</FormControl.Caption>
        </FormControl>
        <FormControl disabled={all}>
          <FormControl.Label>Organization</FormControl.Label>
          <Select block value={all ? '' : target} onChange={(e) => setTarget(e.target.value)}>
            <Select.Option value="">All</Select.Option>
            {(configured.data?.targets ?? []).map((t) => (
              <Select.Option key={t.name} value={t.name}>
                {t.name}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
        {props.below}
        {all && (
          <Banner
            variant="warning"
            title="Administrators may everything"
            description="Also give roles, make tokens and see every organization."
          />
        )}
        <Refused error={error} />
      </form>
    </Dialog>
  )
}
