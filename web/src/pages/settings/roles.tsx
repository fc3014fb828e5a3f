import { PersonAddIcon } from '@primer/octicons-react'
import { Banner, Button, Dialog, FormControl, Label, Select, TextInput } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Page } from '../../parts/page'
import { Pager, useFilter } from '../../parts/search'
import { None, Refused, Shown } from '../../parts/shown'
import { When } from '../../parts/when'
import { roles } from './words'

type Role = components['schemas']['Role']

/** Roles are those that administrators have given. What people are by GitHub's word does not stand here. */
export default function Roles() {
  const [filter, change] = useFilter()
  const cursor = filter('cursor')
  const queries = useQueryClient()
  const [giving, setGiving] = useState(false)
  const [taking, setTaking] = useState<Role>()
  const list = useQuery({
    queryKey: ['roles', cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/roles', { params: { query: { cursor: cursor || undefined, size: 50 } }, signal }),
      ),
  })
  const again = () => queries.invalidateQueries({ queryKey: ['roles'] })
  return (
    <Page
      title="Roles"
      lead="Owners of an organization and maintainers of teams have their role by GitHub's word. Anybody else is given one here."
      acts={
        <Button variant="primary" onClick={() => setGiving(true)}>
          Give a role
        </Button>
      }
    >
      <Shown of={list}>
        {(l) =>
          l.roles.length === 0 ? (
            <None icon={PersonAddIcon} title="No role was given yet">
              Give one to a person, to a GitHub account, or to a group of the identity provider.
            </None>
          ) : (
            <div className="box">
              <ul>
                {l.roles.map((r) => (
                  <li key={`${r.subject} ${r.target}`} className="row line">
                    <div className="grow">
                      <bdi className="mono wrap">{r.subject}</bdi>
                      <div className="small muted">
                        Given by <bdi>{r.by || 'somebody'}</bdi>, <When at={r.at} />
                      </div>
                    </div>
                    <Label variant="accent">{r.role}</Label>
                    <span className="small">{r.target ? <bdi>on {r.target}</bdi> : 'on everything'}</span>
                    <Button
                      size="small"
                      variant="danger"
                      aria-label={`Take the role ${r.role} from ${r.subject}`}
                      onClick={() => setTaking(r)}
                    >
                      Take back
                    </Button>
                  </li>
                ))}
              </ul>
            </div>
          )
        }
      </Shown>
      <Pager cursor={cursor} next={list.data?.next} go={(c) => change({ cursor: c })} />
      {giving && (
        <Give
          close={() => setGiving(false)}
          given={() => {
            setGiving(false)
            void again()
          }}
        />
      )}
      {taking && (
        <Confirm
          title="Take the role back"
          act="Take back"
          danger
          does={async () => {
            await answer(
              api.POST('/api/musterline/roles/remove', {
                body: { subject: taking.subject, target: taking.target || undefined },
              }),
            )
            await again()
          }}
          close={() => setTaking(undefined)}
        >
          <p>
            <bdi className="mono wrap">{taking.subject}</bdi> is no {taking.role} any more
            {taking.target ? ` on ${taking.target}` : ''}, from the next request on.
          </p>
        </Confirm>
      )}
    </Page>
  )
}

const sorts = [
  {
    value: 'github',
    text: 'GitHub account',
    label: 'Host and number of the account',
    example: 'github.com#1024',
    help: "The account's number, which no rename changes: it is the id at https://api.github.com/users/LOGIN.",
  },
  {
    value: 'oidc',
    text: 'Person at the identity provider',
    label: 'Issuer and subject',
    example: 'https://idp.example.com#248289761001',
    help: 'As the session list shows somebody who has signed in once.',
  },
  {
    value: 'group',
    text: 'Group of the identity provider',
    label: 'Source and id of the group',
    example: 'corp/admins',
    help: 'Everybody in it has the role while they are in it, nested groups included.',
  },
] as const

function Give(props: { close: () => void; given: () => void }) {
  const [sort, setSort] = useState<'github' | 'oidc' | 'group'>('github')
  const [subject, setSubject] = useState('')
  const [role, setRole] = useState<'viewer' | 'maintainer' | 'owner' | 'administrator'>('viewer')
  const [target, setTarget] = useState('')
  const [error, setError] = useState<unknown>()
  const [lacks, setLacks] = useState(false)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const configured = useQuery({
    queryKey: ['configured'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const chosen = sorts.find((s) => s.value === sort) ?? sorts[0]
  const give = async () => {
    if (!subject.trim()) {
      setLacks(true)
      field.current?.focus()
      return
    }
    setBusy(true)
    setError(undefined)
    const text = subject.trim()
    try {
      await answer(
        api.POST('/api/musterline/roles', {
          body: {
            subject: text.startsWith(`${sort}:`) ? text : `${sort}:${text}`,
            role,
            target: role === 'administrator' ? undefined : target || undefined,
          },
        }),
      )
      props.given()
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog
      title="Give a role"
      onClose={props.close}
      renderFooter={() => (
        <Dialog.Footer>
          <Button onClick={props.close}>Cancel</Button>
          <Button variant="primary" loading={busy} onClick={() => void give()}>
            Give role
          </Button>
        </Dialog.Footer>
      )}
    >
      <div className="stack">
        <FormControl>
          <FormControl.Label>To whom</FormControl.Label>
          <Select block value={sort} onChange={(e) => setSort(e.target.value as typeof sort)}>
            {sorts.map((s) => (
              <Select.Option key={s.value} value={s.value}>
                {s.text}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
        <FormControl required>
          <FormControl.Label>{chosen.label}</FormControl.Label>
          <TextInput
            block
            ref={field}
            value={subject}
            placeholder={chosen.example}
            onChange={(e) => {
              setSubject(e.target.value)
              setLacks(false)
            }}
            onKeyDown={(e) => e.key === 'Enter' && void give()}
          />
          <FormControl.Caption>{chosen.help}</FormControl.Caption>
          {lacks && <FormControl.Validation variant="error">Say whom.</FormControl.Validation>}
        </FormControl>
        <FormControl>
          <FormControl.Label>Role</FormControl.Label>
          <Select block value={role} onChange={(e) => setRole(e.target.value as typeof role)}>
            {roles.map((r) => (
              <Select.Option key={r.name} value={r.name}>
                {r.name}
              </Select.Option>
            ))}
          </Select>
          <FormControl.Caption>May {roles.find((r) => r.name === role)?.may}.</FormControl.Caption>
        </FormControl>
        <FormControl disabled={role === 'administrator'}>
          <FormControl.Label>Organization</FormControl.Label>
          <Select block value={role === 'administrator' ? '' : target} onChange={(e) => setTarget(e.target.value)}>
            <Select.Option value="">All</Select.Option>
            {(configured.data?.targets ?? []).map((t) => (
              <Select.Option key={t.name} value={t.name}>
                {t.name}
              </Select.Option>
            ))}
          </Select>
        </FormControl>
        {role === 'administrator' && (
          <Banner
            variant="warning"
            title="Administrators may everything"
            description="Also give roles, make tokens and see every organization."
          />
        )}
        <Refused error={error} />
      </div>
    </Dialog>
  )
}
