import { answer, api } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { Shown } from '../../parts/shown'
import { useSettings } from './explained'
import { Fields, SettingsForm } from './form'

/** Schedule is when everything is synced without anybody asking, and by what evidence a user is an account. */
export default function Schedule() {
  return (
    <Page title="Schedule and links">
      <Section title="Schedule">
        <One name="schedule" />
      </Section>
      <Section title="Linked identities">
        <One name="links" />
      </Section>
    </Page>
  )
}

function One(props: { name: 'schedule' | 'links' }) {
  const settings = useSettings(props.name)
  return (
    <Shown of={settings}>
      {(of) => (
        <SettingsForm
          of={of}
          save={(body, etag) =>
            answer(
              api.PUT('/api/musterline/settings/{name}', {
                params: { path: { name: props.name }, header: { 'If-Match': etag } },
                body,
              }),
            )
          }
          reload={async () => (await settings.refetch()).data}
        >
          {(draft) => <Fields draft={draft} level="all" />}
        </SettingsForm>
      )}
    </Shown>
  )
}
