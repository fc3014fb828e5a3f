import { answer, api } from '../../api/client'
import { Page } from '../../parts/page'
import { Shown } from '../../parts/shown'
import { useSettings } from './explained'
import { Guards as Guarding, SettingsForm } from './form'

/** Guards are the limits for all organizations. */
export default function Guards() {
  const settings = useSettings('guards')
  return (
    <Page
      title="Guards"
      lead="Guards look at a plan before the first write, and stop what looks like a mistake until a person has looked at it. These limits hold for all organizations that set none of their own."
    >
      <Shown of={settings}>
        {(of) => (
          <SettingsForm
            of={of}
            save={(body, etag) =>
              answer(
                api.PUT('/api/musterline/settings/{name}', {
                  params: { path: { name: 'guards' }, header: { 'If-Match': etag } },
                  body,
                }),
              )
            }
            reload={async () => (await settings.refetch()).data}
          >
            {(draft) => <Guarding draft={draft} level="all" />}
          </SettingsForm>
        )}
      </Shown>
    </Page>
  )
}
