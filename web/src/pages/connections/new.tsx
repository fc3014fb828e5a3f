import { MarkGithubIcon } from '@primer/octicons-react'
import { Button, FormControl, Radio, RadioGroup, TextInput } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { answer, api, type components, Problem } from '../../api/client'
import { Page } from '../../parts/page'
import { Failed, None, Shown } from '../../parts/shown'
import { useUnsaved } from '../../parts/unsaved'
import { may, useMe } from '../../shell/me'
import { Checked, type Report } from './checked'
import { focusOn, NotSaved, put, type Section, tryOut, wrongOf } from './edit'
import { bodyOf, Fields, type Typed } from './form'
import './connections.css'

type Kind = components['schemas']['Kind']

const words = {
  source: { title: 'Add a source', lead: 'An identity provider whose groups are read.' },
  target: { title: 'Connect an organization', lead: 'An organization whose teams are kept in line with groups.' },
}

/** New makes a source or a target, by a form that is made of what its kind asks for. */
export default function New() {
  const { what } = useParams()
  const me = useMe()
  const kinds = useQuery({
    queryKey: ['kinds'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/kinds', { signal })),
    staleTime: Infinity,
  })
  if (what !== 'source' && what !== 'target')
    return <None title="There is no such page">The address may be wrong, or the page has moved.</None>
  const w = words[what]
  return (
    <Page title={w.title} lead={w.lead} crumbs={[{ to: '/connections', text: 'Connections' }]}>
      {me.data && !may(me.data, 'administrator') ? (
        <Failed
          error={
            new Problem(403, 'forbidden', 'Your role does not allow this: an administrator adds connections', '', '')
          }
        />
      ) : (
        <Shown of={kinds}>
          {(k) => (
            <Form
              key={what}
              section={what === 'source' ? 'sources' : 'targets'}
              kinds={what === 'source' ? k.sources : k.targets}
            />
          )}
        </Shown>
      )}
    </Page>
  )
}

function Form(props: { section: Section; kinds: Kind[] }) {
  const { section, kinds } = props
  const go = useNavigate()
  const queries = useQueryClient()
  const [kindName, setKind] = useState(kinds.length === 1 ? (kinds[0]?.name ?? '') : '')
  const [name, setName] = useState('')
  const [typed, setTyped] = useState<Typed>({})
  const [by, setBy] = useState<'app' | 'token'>('app')
  const [error, setError] = useState<unknown>()
  const [lacks, setLacks] = useState<string[]>([])
  const [busy, setBusy] = useState('')
  const [report, setReport] = useState<Report>()
  const kind = kinds.find((k) => k.name === kindName)
  // GitHub alone makes a credential for us: then the fields of another are not asked for.
  const makesApp = section === 'targets' && kindName === 'github'
  const app = makesApp && by === 'app'
  const fields = (kind?.fields ?? []).filter((f) => !app || ['organization', 'api_url'].includes(f.key))
  const leave = useUnsaved(name !== '' || Object.values(typed).some(Boolean))
  const set = (key: string, value: string) => setTyped((old) => ({ ...old, [key]: value }))
  const body = () => bodyOf(fields, typed, { kind: kindName }, [])
  const complete = (names: boolean): boolean => {
    const missing = [
      ...(names && !name.trim() ? ['name'] : []),
      ...fields.filter((f) => f.required && !(typed[f.key] ?? '').trim()).map((f) => f.key),
    ]
    setLacks(missing)
    setError(undefined)
    const first = missing[0]
    if (first) document.getElementById(first === 'name' ? 'connection-name' : `field-${first}`)?.focus()
    return missing.length === 0
  }
  const run = async (what: string, act: () => Promise<void>) => {
    setBusy(what)
    setError(undefined)
    setReport(undefined)
    try {
      await act()
    } catch (e) {
      setError(
        e instanceof Problem && e.status === 412
          ? new Problem(409, 'conflict', 'there is a connection of that name already', 'choose another name', '')
          : e,
      )
      if (e instanceof Problem) focusOn(fields, e.fields)
    }
    setBusy('')
  }
  const save = (e: FormEvent) => {
    e.preventDefault()
    if (!complete(true)) return
    if (app) {
      const q = new URLSearchParams({ name: name.trim(), organization: (typed.organization ?? '').trim() })
      if (typed.api_url?.trim()) q.set('api_url', typed.api_url.trim())
      leave()
      window.location.assign(`/connect/github-app?${q.toString()}`)
      return
    }
    void run('save', async () => {
      await put(section, name.trim(), '"0"', body())
      await queries.invalidateQueries({ queryKey: ['connections'] })
      leave()
      void go(`/connections/${section}/${encodeURIComponent(name.trim())}`)
    })
  }
  const wrong = {
    ...Object.fromEntries(lacks.filter((k) => k !== 'name').map((k) => [k, 'is required'])),
    ...wrongOf(error),
  }
  return (
    <form className="stack connection-form" noValidate onSubmit={save}>
      {kinds.length > 1 && (
        <RadioGroup name="kind" onChange={(v) => v && setKind(v)} required>
          <RadioGroup.Label>Kind</RadioGroup.Label>
          {kinds.map((k) => (
            <FormControl key={k.name}>
              <Radio value={k.name} checked={k.name === kindName} />
              <FormControl.Label>{k.title}</FormControl.Label>
            </FormControl>
          ))}
        </RadioGroup>
      )}
      {kind && (
        <>
          <FormControl id="connection-name" required>
            <FormControl.Label>Name</FormControl.Label>
            <TextInput
              block
              value={name}
              autoComplete="off"
              spellCheck={false}
              placeholder={section === 'sources' ? 'corp' : 'octo'}
              onChange={(e) => setName(e.target.value)}
            />
            <FormControl.Caption>
              A word by which it is known here: in mappings, in the audit log and on the command line.
            </FormControl.Caption>
            {lacks.includes('name') && !name.trim() && (
              <FormControl.Validation variant="error">Name is required</FormControl.Validation>
            )}
          </FormControl>
          {makesApp && (
            <RadioGroup name="by" onChange={(v) => setBy(v === 'token' ? 'token' : 'app')}>
              <RadioGroup.Label>Credential</RadioGroup.Label>
              <FormControl>
                <Radio value="app" checked={by === 'app'} />
                <FormControl.Label>Create a GitHub App</FormControl.Label>
                <FormControl.Caption>
                  It belongs to the organization and to nobody in particular, and asks for no more than it needs:
                  Members, read and write.
                </FormControl.Caption>
              </FormControl>
              <FormControl>
                <Radio value="token" checked={by === 'token'} />
                <FormControl.Label>A token, or a GitHub App that there is</FormControl.Label>
                <FormControl.Caption>
                  An owner’s token: fine-grained with Members read and write, or classic with admin:org.
                </FormControl.Caption>
              </FormControl>
            </RadioGroup>
          )}
          <Fields
            fields={fields}
            typed={typed}
            set={set}
            secrets={[]}
            gone={[]}
            setGone={() => undefined}
            wrong={wrong}
          />
          {busy === 'test' ? <p role="status">Reaching it…</p> : report && <Checked of={report} />}
          {error !== undefined && <NotSaved error={error} />}
          <div className="inline">
            <Button
              type="submit"
              variant="primary"
              loading={busy === 'save'}
              leadingVisual={app ? MarkGithubIcon : undefined}
            >
              {app ? 'Continue to GitHub' : section === 'sources' ? 'Add source' : 'Connect'}
            </Button>
            {!app && (
              <Button
                loading={busy === 'test'}
                onClick={() => {
                  if (complete(false)) void run('test', async () => setReport(await tryOut(section, undefined, body())))
                }}
              >
                Test connection
              </Button>
            )}
          </div>
        </>
      )}
    </form>
  )
}
