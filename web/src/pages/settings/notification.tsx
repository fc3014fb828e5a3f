import { Banner, Button, Checkbox, CheckboxGroup, FormControl, Radio, RadioGroup, TextInput } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { answer, api, type components, Problem } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Copy } from '../../parts/copy'
import { Page, Section } from '../../parts/page'
import { None, sentence, Shown } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { When } from '../../parts/when'
import { focusOn, NotSaved, wrongOf } from '../connections/edit'
import { type Body, bodyOf, Fields, FieldsShown, type Typed, typedOf } from '../connections/form'
import { Whence } from '../connections/index'
import { Tested, useTest } from './notification-test'
import { told } from './words'
import '../connections/connections.css'

type Notified = components['schemas']['Notified']
type Notification = components['schemas']['Notification']

/** The address of the form for one that there is not yet. No notification has such a name: names begin with a letter or digit. */
const fresh = '_new'

const crumbs = [{ to: '/settings/notifications', text: 'Notifications' }]

/** OneNotification is a form: of a new one, or of one that there is. */
export default function OneNotification() {
  const name = useParams().name ?? ''
  const all = useQuery({
    queryKey: ['notified'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/notified', { signal })),
  })
  const found = all.data?.notifications.filter((n) => n.row.name === name) ?? []
  // The file may define what was made here before: then that which can be deleted is the one left out.
  const n = found.find((of) => of.row.origin === 'api') ?? found[0]
  const isNew = name === fresh
  return (
    <Page
      title={isNew ? 'New notification' : name}
      crumbs={crumbs}
      lead={
        n ? (
          <>
            {n.title || 'Of no kind'} · <Whence of={n.row} />
          </>
        ) : isNew ? (
          'A webhook or a Slack channel that hears of what needs a person.'
        ) : undefined
      }
    >
      <Shown of={all}>
        {(list) =>
          isNew ? (
            <Form key="new" list={list} />
          ) : n ? (
            <Known key={n.row.name} list={list} of={n} />
          ) : (
            <None title="There is no such notification">It may have been deleted.</None>
          )
        }
      </Shown>
    </Page>
  )
}

/** Known is one that there is: how it fares, what is set, and the ways to test and delete it. */
function Known(props: { list: Notified; of: Notification }) {
  const { list, of: n } = props
  const name = n.row.name
  const go = useNavigate()
  const queries = useQueryClient()
  const test = useTest()
  const [said, setSaid] = useState('')
  const [deleting, setDeleting] = useState(false)
  const ours = n.row.origin === 'api'
  return (
    <>
      <div role="status" className={said ? 'spaced' : undefined}>
        {said && <Banner variant="success" title={said} onDismiss={() => setSaid('')} />}
      </div>
      <Tested of={test} />
      {n.row.unfit && (
        <Banner
          variant="critical"
          title="It is left out of what is in force"
          description={`${sentence(n.row.unfit)} Change it here, or put back into the file what it refers to.`}
        />
      )}
      {n.off && (
        <Banner
          variant="warning"
          title="Turned off"
          description={
            <>
              {sentence(n.off.why)} That was <When at={n.off.at} />. A test that it takes turns it on again.
            </>
          }
        />
      )}
      {!n.row.unfit && (
        <Section title="Test">
          <div className="box">
            <div className="row line">
              <div className="grow">A message that says that it is a test is sent at once, and the answer shown.</div>
              <Button loading={test.busy === name} onClick={() => void test.run(name)}>
                Send a test
              </Button>
            </div>
          </div>
        </Section>
      )}
      <Section title="Settings">
        {ours ? (
          <Form
            list={list}
            of={n}
            saved={() => {
              test.forget()
              setSaid('Saved. It counts from now.')
            }}
          />
        ) : (
          <OfTheFile list={list} of={n} />
        )}
      </Section>
      {ours && (
        <Section title="Delete">
          <div className="box">
            <div className="row line">
              <div className="grow">It hears nothing any more. What is on its way to it is given up.</div>
              <Button variant="danger" onClick={() => setDeleting(true)}>
                Delete this notification
              </Button>
            </div>
          </div>
        </Section>
      )}
      {deleting && (
        <Confirm
          title={`Delete ${name}`}
          act="Delete"
          danger
          close={() => setDeleting(false)}
          does={async () => {
            await answer(
              api.DELETE('/api/musterline/notifications/{name}', {
                params: { path: { name }, header: { 'If-Match': n.tag } },
              }),
            )
            void go('/settings/notifications')
            await queries.invalidateQueries({ queryKey: ['notified'] })
          }}
        >
          <p>It hears nothing any more, and its secret is deleted.</p>
        </Confirm>
      )}
    </>
  )
}

/** OfTheFile shows what can only be changed in the file. */
function OfTheFile(props: { list: Notified; of: Notification }) {
  const { list, of: n } = props
  const fields = list.kinds.find((k) => k.name === n.kind)?.fields ?? []
  return (
    <FieldsShown fields={fields} body={n.row.body as Body} row={n.row}>
      <div className="pair">
        <dt>Told of</dt>
        <dd className="wrap">{told(n.events, list.events, n.targets)}</dd>
      </div>
    </FieldsShown>
  )
}

/** What a form holds beside the fields of the kind. */
type Chosen = { events: string[]; targets: string[] }

const chosenOf = (list: Notified, body: Body): Chosen => ({
  events: Array.isArray(body.events) ? body.events.map(String) : list.events.map((e) => e.type),
  targets: Array.isArray(body.targets) ? body.targets.map(String) : [],
})

/** Form makes a notification, or changes one that was made here. Somebody else's change in the meantime is shown, and who edits decides. */
function Form(props: { list: Notified; of?: Notification; saved?: () => void }) {
  const { list } = props
  const go = useNavigate()
  const queries = useQueryClient()
  const [base, setBase] = useState({ body: (props.of?.row.body ?? {}) as Body, tag: props.of?.tag ?? '"0"' })
  const [name, setName] = useState(props.of?.row.name ?? '')
  const [kindName, setKind] = useState(props.of?.kind ?? list.kinds[0]?.name ?? '')
  const fields = list.kinds.find((k) => k.name === kindName)?.fields ?? []
  const [typed, setTyped] = useState<Typed>(() => typedOf(fields, base.body))
  const [chosen, setChosen] = useState<Chosen>(() => chosenOf(list, base.body))
  const [touched, setTouched] = useState(false)
  const [made, setMade] = useState('')
  const [lacks, setLacks] = useState<string[]>([])
  const [error, setError] = useState<unknown>()
  const [theirs, setTheirs] = useState<Notification>()
  const [busy, setBusy] = useState(false)
  const leave = useUnsaved(touched)
  const edit = <T,>(set: (v: T) => void) => {
    return (v: T) => {
      setTouched(true)
      set(v)
    }
  }
  // Not by the group's own onChange: the group remembers clicks, and knows nothing of what was taken over from somebody else.
  const choose = (what: keyof Chosen, v: string) => {
    const were = chosen[what]
    edit(setChosen)({ ...chosen, [what]: were.includes(v) ? were.filter((w) => w !== v) : [...were, v] })
  }
  const body = (): Body => ({
    ...bodyOf(fields, typed, base.body, []),
    kind: kindName,
    events:
      chosen.events.length === list.events.length
        ? undefined
        : list.events.map((e) => e.type).filter((e) => chosen.events.includes(e)),
    targets: chosen.targets.length === 0 ? undefined : chosen.targets,
  })
  const complete = () => {
    const kept = props.of?.row.secrets ?? []
    const missing = [
      ...(name.trim() ? [] : ['name']),
      ...fields.filter((f) => f.required && !typed[f.key]?.trim() && !kept.includes(f.key)).map((f) => f.key),
      ...(chosen.events.length > 0 ? [] : ['events']),
    ]
    setLacks(missing)
    setError(undefined)
    const first = missing[0]
    if (first && first !== 'events') document.getElementById(`field-${first}`)?.focus()
    return missing.length === 0
  }
  const save = async (tag: string) => {
    if (!complete()) return
    setBusy(true)
    setTheirs(undefined)
    const to = name.trim()
    try {
      const row = await answer(
        api.PUT('/api/musterline/notifications/{name}', {
          params: { path: { name: to }, header: { 'If-Match': tag } },
          body: body(),
        }),
      )
      setTouched(false)
      setMade('')
      leave()
      await queries.invalidateQueries({ queryKey: ['notified'] })
      if (!props.of) {
        void go(`/settings/notifications/${encodeURIComponent(to)}`)
        return
      }
      const now = queries
        .getQueryData<Notified>(['notified'])
        ?.notifications.find((n) => n.row.name === to && n.row.origin === 'api')
      setBase({ body: row.body as Body, tag: now?.tag ?? tag })
      setTyped(typedOf(fields, row.body as Body))
      props.saved?.()
    } catch (e) {
      if (e instanceof Problem && e.status === 412) await meanwhile(to)
      else setError(e)
      if (e instanceof Problem) focusOn(fields, e.fields)
    }
    setBusy(false)
  }
  const meanwhile = async (to: string) => {
    const now = await answer(api.GET('/api/musterline/notified')).catch(() => undefined)
    const other = now?.notifications.find((n) => n.row.name === to && n.row.origin === 'api')
    if (props.of && other) setTheirs(other)
    else if (props.of) setError(new Problem(404, 'not_found', 'somebody has deleted it meanwhile', '', ''))
    else
      setError(new Problem(409, 'conflict', 'there is a notification of that name already', 'choose another name', ''))
  }
  const make = () => {
    const secret = `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`
    setTouched(true)
    setTyped((old) => ({ ...old, secret }))
    setMade(secret)
  }
  const wrong = { ...Object.fromEntries(lacks.map((k) => [k, 'is required'])), ...wrongOf(error) }
  return (
    <form
      className="stack connection-form"
      noValidate
      onSubmit={(e: FormEvent) => {
        e.preventDefault()
        void save(base.tag)
      }}
    >
      {!props.of && (
        <>
          <RadioGroup name="kind" onChange={(v) => v && edit(setKind)(v)} required>
            <RadioGroup.Label>Kind</RadioGroup.Label>
            {list.kinds.map((k) => (
              <FormControl key={k.name}>
                <Radio value={k.name} checked={k.name === kindName} />
                <FormControl.Label>{k.title}</FormControl.Label>
              </FormControl>
            ))}
          </RadioGroup>
          <FormControl id="field-name" required>
            <FormControl.Label>Name</FormControl.Label>
            <TextInput
              block
              value={name}
              autoComplete="off"
              spellCheck={false}
              placeholder="ops"
              onChange={(e) => edit(setName)(e.target.value)}
            />
            <FormControl.Caption>A word by which it is known here and in the audit log.</FormControl.Caption>
            {wrong.name && <FormControl.Validation variant="error">Name is required</FormControl.Validation>}
          </FormControl>
        </>
      )}
      <Fields
        key={kindName}
        fields={fields}
        typed={typed}
        set={(key, value) => edit(setTyped)({ ...typed, [key]: value })}
        secrets={props.of?.row.secrets ?? []}
        gone={[]}
        setGone={() => undefined}
        wrong={wrong}
      />
      {fields.some((f) => f.key === 'secret') && (
        <div className="stack" role="status">
          <div>
            <Button type="button" size="small" onClick={make}>
              Make a secret
            </Button>
          </div>
          {made && made === typed.secret && (
            <Banner
              variant="info"
              title="Give this secret to the receiver"
              description={
                <>
                  <p>Nobody can read it again once it is saved.</p>
                  <span className="secret">
                    <code className="mono wrap">{made}</code> <Copy text={made} label="Copy the secret" />
                  </span>
                </>
              }
            />
          )}
        </div>
      )}
      <CheckboxGroup required>
        <CheckboxGroup.Label>Told of</CheckboxGroup.Label>
        {list.events.map((e) => (
          <FormControl key={e.type}>
            <Checkbox
              value={e.type}
              checked={chosen.events.includes(e.type)}
              onChange={() => choose('events', e.type)}
            />
            <FormControl.Label>{e.title}</FormControl.Label>
            <FormControl.Caption>{e.means}</FormControl.Caption>
          </FormControl>
        ))}
        {wrong.events && <CheckboxGroup.Validation variant="error">Choose one at least</CheckboxGroup.Validation>}
      </CheckboxGroup>
      {list.targets.length > 1 && (
        <CheckboxGroup>
          <CheckboxGroup.Label>Organizations</CheckboxGroup.Label>
          <CheckboxGroup.Caption>None chosen: all of them, also those that come.</CheckboxGroup.Caption>
          {list.targets.map((t) => (
            <FormControl key={t}>
              <Checkbox value={t} checked={chosen.targets.includes(t)} onChange={() => choose('targets', t)} />
              <FormControl.Label>{t}</FormControl.Label>
            </FormControl>
          ))}
        </CheckboxGroup>
      )}
      {theirs && (
        <Banner
          variant="warning"
          title="Somebody has changed it meanwhile: nothing was saved"
          description={
            <>
              <p>
                <bdi>{theirs.row.by}</bdi> saved it <When at={theirs.row.at} />. Theirs is told of:{' '}
                {told(theirs.events, list.events, theirs.targets)}.
              </p>
              {Object.entries(typedOf(fields, theirs.row.body as Body))
                .filter(([key, value]) => value !== (typed[key] ?? ''))
                .map(([key, value]) => (
                  <p key={key}>
                    {fields.find((f) => f.key === key)?.label ?? key}: theirs is <bdi className="mono">{value}</bdi>
                  </p>
                ))}
            </>
          }
          primaryAction={
            <Banner.PrimaryAction onClick={() => void save(theirs.tag)}>Save mine over it</Banner.PrimaryAction>
          }
          secondaryAction={
            <Banner.SecondaryAction
              onClick={() => {
                setBase({ body: theirs.row.body as Body, tag: theirs.tag })
                setTyped(typedOf(fields, theirs.row.body as Body))
                setChosen(chosenOf(list, theirs.row.body as Body))
                setTheirs(undefined)
                setTouched(false)
              }}
            >
              Take theirs
            </Banner.SecondaryAction>
          }
        />
      )}
      {error !== undefined && <NotSaved error={error} />}
      <div className="inline">
        <Button type="submit" variant="primary" loading={busy}>
          {props.of ? 'Save changes' : 'Add notification'}
        </Button>
      </div>
    </form>
  )
}
