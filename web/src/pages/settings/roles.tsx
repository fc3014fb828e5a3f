import { PersonAddIcon } from '@primer/octicons-react'
import { FormControl, Label, Select, TextInput } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { When } from '../../parts/when'
import { Give, Given, Row, useCursor } from './given'

type Role = components['schemas']['Role']

/** Roles are those that administrators have given. What people are by GitHub's word does not stand here. */
export default function Roles() {
  const cursor = useCursor()
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
    <Given
      title="Roles"
      lead="Owners of an organization and maintainers of teams have their role by GitHub's word. Anybody else is given one here."
      act="Give a role"
      give={() => setGiving(true)}
      list={list}
      none={{
        icon: PersonAddIcon,
        title: 'No role was given yet',
        text: 'Give one to a person, to a GitHub account, or to a group of the identity provider.',
      }}
      rows={(l) =>
        l.roles.map((r) => (
          <Row
            key={`${r.subject} ${r.target}`}
            act="Take back"
            label={`Take the role ${r.role} from ${r.subject}`}
            take={() => setTaking(r)}
            beside={
              <>
                <Label variant="accent">{r.role}</Label>
                <span className="small">{r.target ? <bdi>on {r.target}</bdi> : 'on everything'}</span>
              </>
            }
          >
            <bdi className="mono wrap">{r.subject}</bdi>
            <div className="small muted">
              Given by <bdi>{r.by || 'somebody'}</bdi>, <When at={r.at} />
            </div>
          </Row>
        ))
      }
    >
      {giving && (
        <GiveRole
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
    </Given>
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

function GiveRole(props: { close: () => void; given: () => void }) {
  const [sort, setSort] = useState<'github' | 'oidc' | 'group'>('github')
  const [subject, setSubject] = useState('')
  const [lacks, setLacks] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const chosen = sorts.find((s) => s.value === sort) ?? sorts[0]
  const text = subject.trim()
  return (
    <Give
      title="Give a role"
      act="Give role"
      needs={field}
      filled={text !== ''}
      lacking={setLacks}
      close={props.close}
      give={async (gift) => {
        await answer(
          api.POST('/api/musterline/roles', {
            body: { subject: text.startsWith(`${sort}:`) ? text : `${sort}:${text}`, ...gift },
          }),
        )
        props.given()
      }}
      above={
        <>
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
            />
            <FormControl.Caption>{chosen.help}</FormControl.Caption>
            {lacks && <FormControl.Validation variant="error">Say whom.</FormControl.Validation>}
          </FormControl>
        </>
      }
    />
  )
}
