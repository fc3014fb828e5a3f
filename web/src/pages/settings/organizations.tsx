import { OrganizationIcon } from '@primer/octicons-react'
import { FormControl, Label, Select } from '@primer/react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from 'react-router'
import { answer, api } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { None, Shown } from '../../parts/shown'
import { may, useMe } from '../../shell/me'
import { useTargetSettings } from './explained'
import { type Explained, Fields, Guards, SettingsForm } from './form'
import { offMeans, Turn } from './turn'

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
  const e = props.is.enabled
  if (!e) return null
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
                : offMeans(e.members)}
            </div>
          </div>
          {props.may && <Turn target={e.target} enabled={e.enabled} again={() => props.again()} />}
        </div>
      </div>
    </Section>
  )
}
