import { answer, api } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { Shown } from '../../parts/shown'
import { useSettings } from './explained'
import { Fields, Guards, SettingsForm } from './form'

/** Enterprise are the settings that win over those of its organizations. */
export default function Enterprise() {
  const settings = useSettings('enterprise')
  return (
    <Page
      title="Enterprise"
      lead="What is set here wins over the settings of each organization listed. What is not set is left to them."
    >
      <Shown of={settings}>
        {(of) => (
          <SettingsForm
            of={of}
            prefix="guards."
            save={(body, etag) =>
              Object.keys(body).length > 0
                ? answer(
                    api.PUT('/api/musterline/settings/{name}', {
                      params: { path: { name: 'enterprise' }, header: { 'If-Match': etag } },
                      body,
                    }),
                  )
                : answer(
                    api.DELETE('/api/musterline/settings/{name}', {
                      params: { path: { name: 'enterprise' }, header: { 'If-Match': etag } },
                    }),
                  )
            }
            reload={async () => (await settings.refetch()).data}
          >
            {(draft) => (
              <>
                <Section title="Settings">
                  <Fields draft={draft} level="enterprise" />
                </Section>
                <Guards draft={draft} level="enterprise" />
              </>
            )}
          </SettingsForm>
        )}
      </Shown>
    </Page>
  )
}
