import type { ShownPlan } from './asked'

/** Figures say what a plan would do. */
export function Figures(props: { of: ShownPlan }) {
  const { summary: s } = props.of
  const tiles: { figure: number; text: string; sign?: 'add' | 'remove' | 'update' }[] = [
    { figure: s.add, text: s.add === 1 ? 'addition' : 'additions', sign: 'add' },
    { figure: s.remove, text: s.remove === 1 ? 'removal' : 'removals', sign: 'remove' },
    { figure: s.update, text: s.update === 1 ? 'change of role' : 'changes of role', sign: 'update' },
    { figure: s.teams ?? 0, text: (s.teams ?? 0) === 1 ? 'team with changes' : 'teams with changes' },
    { figure: s.objected, text: s.objected === 1 ? 'change waits for approval' : 'changes wait for approval' },
  ]
  if (s.create) tiles.push({ figure: s.create, text: s.create === 1 ? 'new team' : 'new teams' })
  const signs = { add: '+', remove: '−', update: '~' }
  return (
    <ul className="figures" aria-label="In figures">
      {tiles.map((t) => (
        <li key={t.text} className={`figure-box ${t.sign ?? ''}`}>
          <span className="figure">
            {t.sign && t.figure > 0 ? signs[t.sign] : ''}
            {t.figure.toLocaleString()}
          </span>{' '}
          <span className="small muted">{t.text}</span>
        </li>
      ))}
    </ul>
  )
}

/** inShort is a plan on one line. */
export function inShort(p: ShownPlan): string {
  const s = p.summary
  const parts: string[] = []
  const add = (n: number | undefined, text: string) => n && parts.push(`${n.toLocaleString()} ${text}`)
  add(s.add, 'to add')
  add(s.remove, 'to remove')
  add(s.update, 'to change')
  return parts.length ? parts.join(', ') : 'nothing to change'
}
