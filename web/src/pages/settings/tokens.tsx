import { KeyIcon } from '@primer/octicons-react'
import { Banner, FormControl, Label, Select, TextInput } from '@primer/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { answer, api, type components } from '../../api/client'
import { Confirm } from '../../parts/confirm'
import { Copy } from '../../parts/copy'
import { Outcome } from '../../parts/outcome'
import { When } from '../../parts/when'
import { Give, Given, Row, useCursor } from './given'

type Token = components['schemas']['Token']

/** Tokens are Musterline's own: for programs, and for the command line of somebody elsewhere. */
export default function Tokens() {
  const cursor = useCursor()
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<Token>()
  const [ending, setEnding] = useState<Token>()
  const tokens = useQuery({
    queryKey: ['tokens', cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/musterline/tokens', { params: { query: { cursor: cursor || undefined, size: 50 } }, signal }),
      ),
  })
  const again = () => queries.invalidateQueries({ queryKey: ['tokens'] })
  return (
    <Given
      title="Tokens"
      lead="A token opens Musterline's own API and its command line to a program. Its text is shown once."
      act="New token"
      give={() => setMaking(true)}
      list={tokens}
      none={{ icon: KeyIcon, title: 'There are no tokens', text: 'Make one for a program that shall ask this server.' }}
      told={
        <Outcome of={made}>
          {made?.text && (
            <Banner
              variant="success"
              title={`The token ${made.name} is made`}
              description={
                <>
                  <p>Copy it now: nobody can read it again.</p>
                  <span className="secret">
                    <code className="mono wrap">{made.text}</code> <Copy text={made.text} label="Copy the token" />
                  </span>
                </>
              }
              onDismiss={() => setMade(undefined)}
            />
          )}
        </Outcome>
      }
      rows={(list) =>
        list.tokens.map((t) => (
          <Row key={t.id} act={over(t) ? undefined : 'Revoke'} label={`Revoke ${t.name}`} take={() => setEnding(t)}>
            <strong>
              <bdi>{t.name}</bdi>
            </strong>{' '}
            <Label>{t.role}</Label> {t.target ? <Label variant="secondary">{t.target}</Label> : null} <State of={t} />
            <div className="small muted">
              Made by <bdi>{t.created_by || 'somebody'}</bdi> <When at={t.created_at} />, last used{' '}
              <When at={t.last_used_at} />
              {t.revoked_at ? (
                <>
                  , revoked by <bdi>{t.revoked_by}</bdi> <When at={t.revoked_at} />
                </>
              ) : t.expires_at ? (
                <>
                  , ends <When at={t.expires_at} />
                </>
              ) : (
                ', never ends'
              )}
            </div>
          </Row>
        ))
      }
    >
      {making && (
        <Make
          close={() => setMaking(false)}
          made={(t) => {
            setMaking(false)
            setMade(t)
            void again()
          }}
        />
      )}
      {ending && (
        <Confirm
          title={`Revoke ${ending.name}`}
          act="Revoke"
          danger
          does={async () => {
            await answer(api.DELETE('/api/musterline/tokens/{token}', { params: { path: { token: ending.id } } }))
            await again()
          }}
          close={() => setEnding(undefined)}
        >
          <p>Whatever uses it is refused at once. A token that was revoked stays so.</p>
        </Confirm>
      )}
    </Given>
  )
}

function over(t: Token): boolean {
  return !!t.revoked_at || (!!t.expires_at && new Date(t.expires_at) <= new Date())
}

function State(props: { of: Token }) {
  if (props.of.revoked_at) return <Label variant="danger">revoked</Label>
  if (over(props.of)) return <Label variant="attention">expired</Label>
  return null
}

const day = 24 * 3600 * 1000

function Make(props: { close: () => void; made: (t: Token) => void }) {
  const [name, setName] = useState('')
  const [days, setDays] = useState('30')
  const [lacks, setLacks] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  return (
    <Give
      title="New token"
      act="Make token"
      needs={field}
      filled={name.trim() !== ''}
      lacking={setLacks}
      close={props.close}
      give={async (gift) =>
        props.made(
          await answer(
            api.POST('/api/musterline/tokens', {
              body: {
                name: name.trim(),
                ...gift,
                expires_at: days ? new Date(Date.now() + Number(days) * day).toISOString() : undefined,
              },
            }),
          ),
        )
      }
      above={
        <FormControl required>
          <FormControl.Label>Name</FormControl.Label>
          <TextInput
            block
            ref={field}
            value={name}
            maxLength={100}
            onChange={(e) => {
              setName(e.target.value)
              setLacks(false)
            }}
          />
          <FormControl.Caption>By which it is known when it is to be revoked.</FormControl.Caption>
          {lacks && <FormControl.Validation variant="error">A token needs a name.</FormControl.Validation>}
        </FormControl>
      }
      below={
        <FormControl>
          <FormControl.Label>Ends</FormControl.Label>
          <Select block value={days} onChange={(e) => setDays(e.target.value)}>
            <Select.Option value="7">In 7 days</Select.Option>
            <Select.Option value="30">In 30 days</Select.Option>
            <Select.Option value="90">In 90 days</Select.Option>
            <Select.Option value="365">In a year</Select.Option>
            <Select.Option value="">Never</Select.Option>
          </Select>
        </FormControl>
      }
    />
  )
}
