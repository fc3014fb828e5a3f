import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../../api/client'
import { Page, Section } from '../../parts/page'
import { Shown } from '../../parts/shown'

const databases: Record<string, string> = { sqlite: 'SQLite', postgres: 'PostgreSQL' }

/** About says what this server is. */
export default function About() {
  const about = useQuery({
    queryKey: ['about'],
    queryFn: ({ signal }) => answer(api.GET('/api/musterline/about', { signal })),
  })
  return (
    <Page title="About" lead="Musterline keeps GitHub teams in line with the groups of your identity provider.">
      <Shown of={about}>
        {(a) => (
          <>
            <Section title="This server">
              <dl className="box pairs">
                <Pair name="Version">{a.version}</Pair>
                <Pair name="Built with">{a.built}</Pair>
                <Pair name="Address">{a.server || 'not set (server.external_url)'}</Pair>
                <Pair name="Database">{databases[a.database] ?? a.database}</Pair>
                <Pair name="Key file">
                  {a.key_file ? <span className="mono">{a.key_file}</span> : 'none'}
                  <div className="small muted">Its fingerprint: a copy that shows another one opens nothing here.</div>
                </Pair>
                <Pair name="Configuration file">{a.file}</Pair>
              </dl>
            </Section>
            <Section title="To read">
              <ul>
                <li>
                  <a href="/api/musterline/openapi.json">The API of this server, as an OpenAPI 3.1 document</a>
                </li>
                <li>
                  <code>docs/configuration.md</code>: every setting of the configuration file
                </li>
                <li>
                  <code>docs/life-of-a-sync.md</code>: one sync from beginning to end
                </li>
                <li>
                  <code>docs/differences-from-github.md</code>: where this differs from GitHub’s own team
                  synchronization
                </li>
              </ul>
              <p className="small muted">The files come with the program’s source. Every command has --help.</p>
            </Section>
          </>
        )}
      </Shown>
    </Page>
  )
}

function Pair(props: { name: string; children: React.ReactNode }) {
  return (
    <div className="row pair">
      <dt>{props.name}</dt>
      <dd className="wrap">{props.children}</dd>
    </div>
  )
}
