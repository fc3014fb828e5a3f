import { OrganizationIcon } from '@primer/octicons-react'
import { Button, FormControl, Label, Radio, RadioGroup, Select } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { answer, api } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Page, Section } from '../../parts/page'
import { None, Shown } from '../../parts/shown'
import { may, useMe } from '../../shell/me'
import { useTargetSettings } from './explained'
import { type Explained, Fields, Guards, SettingsForm } from './form'

/** Organizations are the settings of one organization after another: the one in the address, else the first. */
export default function Organizations() {
  const me = useMe()
  const go = useNavigate()
  const named = useParams().target
  const configured = useQuery({
    queryKey: ['configured'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/configured', { signal })),
  })
  const names = (configured.data?.targets ?? []).map((t) => t.name)
  const target = named ?? names[0] ?? ''
  const settings = useTargetSettings(target)
  if (configured.data && names.length === 0) {
    return (
      <Page title="Organizations">
        <None
          icon={OrganizationIcon}
          title="No organization is connected"
          act={<Link to="/connections">Connections</Link>}
        >
          Connect one first. Its settings are here then.
        </None>
      </Page>
    )
  }
  const administers = may(me.data, 'administrator')
  return (
    <Page
      title={target || 'Organizations'}
      lead="How Musterline keeps this organization."
      acts={
        names.length > 1 && (
          <FormControl>
            <FormControl.Label visuallyHidden>Organization</FormControl.Label>
            <Select
              value={target}
              onChange={(e) => void go(`/settings/organizations/${encodeURIComponent(e.target.value)}`)}
            >
              {names.map((n) => (
                <Select.Option key={n} value={n}>
                  {n}
                </Select.Option>
              ))}
            </Select>
          </FormControl>
        )
      }
    >
      <Shown of={target ? settings : { ...settings, isPending: configured.isPending, error: configured.error }}>
        {(of) => (
          <div key={target}>
            <Kept is={of.data} may={may(me.data, 'owner', target)} again={() => settings.refetch()} />
            <SettingsForm
              of={of}
              locked={administers ? undefined : 'Only administrators of Musterline can change these settings.'}
              prefix="guards."
              save={(body, etag) =>
                answer(
                  api.PUT('/api/musterline/targets/{name}', {
                    params: { path: { name: target }, header: { 'If-Match': etag } },
                    body,
                  }),
                )
              }
              reload={async () => (await settings.refetch()).data}
            >
              {(draft) => (
                <>
                  <Section title="Settings">
                    <Fields draft={draft} level="organization" />
                  </Section>
                  {draft.is.teams.length > 0 && (
                    <p className="small muted told">
                      Teams with settings of their own:{' '}
                      {draft.is.teams.map((slug, i) => (
                        <span key={slug}>
                          {i > 0 && ', '}
                          <Link
                            to={`/organizations/${encodeURIComponent(target)}/teams/${encodeURIComponent(slug)}/settings`}
                          >
                            <bdi>{slug}</bdi>
                          </Link>
                        </span>
                      ))}
                      .
                    </p>
                  )}
                  <Guards draft={draft} level="organization" />
                </>
              )}
            </SettingsForm>
          </div>
        )}
      </Shown>
    </Page>
  )
}

/** Kept says whether the organization is kept at all, and turns that on and off. */
function Kept(props: { is: Explained; may: boolean; again: () => Promise<unknown> }) {
  const [asks, setAsks] = useState(false)
  const [members, setMembers] = useState<'keep' | 'remove'>('keep')
  const queries = useQueryClient()
  const e = props.is.enabled
  if (!e) return null
  const turn = async (enabled: boolean) => {
    await answer(
      api.PUT('/api/musterline/targets/{target}/enabled', {
        params: { path: { target: e.target }, header: { 'If-Match': e.tag } },
        body: enabled ? { enabled } : { enabled, members },
      }),
    ).finally(() => void props.again())
    await queries.invalidateQueries({ queryKey: ['status'] })
  }
  return (
    <Section title="Team synchronization">
      <div className="box">
        <div className="row line">
          <div className="grow">
            <strong>{e.enabled ? 'On' : 'Off'}</strong>{' '}
            {!e.enabled && (
              <Label variant="attention">{e.members === 'remove' ? 'members leave' : 'members stay'}</Label>
            )}
            <div className="muted small">
              {e.enabled
                ? 'Teams of this organization are kept in line with the groups that they are mapped to.'
                : 'Plans are only shown. Nothing is changed in this organization.'}
            </div>
          </div>
          {props.may && (
            <Button variant={e.enabled ? 'danger' : 'primary'} onClick={() => setAsks(true)}>
              {e.enabled ? 'Turn off' : 'Turn on'}
            </Button>
          )}
        </div>
      </div>
      {asks && (
        <Confirm
          title={e.enabled ? `Turn off ${e.target}` : `Turn on ${e.target}`}
          act={e.enabled ? 'Turn off' : 'Turn on'}
          danger={e.enabled}
          does={() => turn(!e.enabled)}
          close={() => setAsks(false)}
        >
          {e.enabled ? (
            <RadioGroup name="members" onChange={(v) => setMembers(v === 'remove' ? 'remove' : 'keep')}>
              <RadioGroup.Label>What becomes of the members?</RadioGroup.Label>
              <RadioGroup.Caption>
                Mappings that were made here or by the API are taken away. Those of the configuration file stay there.
              </RadioGroup.Caption>
              <FormControl>
                <Radio value="keep" checked={members === 'keep'} />
                <FormControl.Label>They stay in their teams</FormControl.Label>
              </FormControl>
              <FormControl>
                <Radio value="remove" checked={members === 'remove'} />
                <FormControl.Label>Those that Musterline brought leave with the next sync</FormControl.Label>
              </FormControl>
            </RadioGroup>
          ) : (
            <p>Plans are made and carried out again as the settings say. Guards look at them first.</p>
          )}
        </Confirm>
      )}
    </Section>
  )
}
