import { OrganizationIcon, PlugIcon } from '@primer/octicons-react'
import { LinkButton } from '@primer/react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { None } from './shown'

/** Unconnected is what a page shows that rests on an organization or a source when there is none: what will be here, and where to begin. */
export function Unconnected(props: { what: 'organization' | 'source'; children: ReactNode }) {
  return (
    <None
      icon={props.what === 'source' ? PlugIcon : OrganizationIcon}
      title={`No ${props.what} is connected`}
      act={
        <LinkButton as={Link} to="/connections" variant="primary">
          Open connections
        </LinkButton>
      }
    >
      {props.children}
    </None>
  )
}
