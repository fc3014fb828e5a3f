import { Breadcrumbs, CounterLabel } from '@primer/react'
import { type ReactNode, useEffect } from 'react'
import { Link } from 'react-router'

type Crumb = { to: string; text: string }

/** Page is the head of every page: where one is, what it is called, and what can be done here. The document gets its title. */
export function Page(props: {
  title: string
  document?: string // the title of the document, where that of the page is another page's too
  lead?: ReactNode
  crumbs?: Crumb[]
  acts?: ReactNode
  labels?: ReactNode
  children: ReactNode
}) {
  const called = props.document ?? props.title
  useEffect(() => {
    document.title = `${called} · Musterline`
  }, [called])
  return (
    <>
      {props.crumbs && (
        <Breadcrumbs>
          {props.crumbs.map((c) => (
            <Breadcrumbs.Item key={c.to} as={Link} to={c.to}>
              <bdi>{c.text}</bdi>
            </Breadcrumbs.Item>
          ))}
        </Breadcrumbs>
      )}
      <div className="page-head">
        <div className="words">
          <h1 tabIndex={-1}>
            <span className="inline">
              <bdi>{props.title}</bdi>
              {props.labels}
            </span>
          </h1>
          {props.lead && <p className="lead">{props.lead}</p>}
        </div>
        {props.acts && <div className="acts">{props.acts}</div>}
      </div>
      {props.children}
    </>
  )
}

/** Section is a part of a page with a heading of its own. */
export function Section(props: { title: string; count?: number; acts?: ReactNode; children: ReactNode }) {
  return (
    <section className="section" aria-label={props.title}>
      <header>
        <h2>
          {props.title} {props.count !== undefined && <CounterLabel>{props.count.toLocaleString()}</CounterLabel>}
        </h2>
        {props.acts}
      </header>
      {props.children}
    </section>
  )
}
