import { createBrowserRouter, useRouteError } from 'react-router'
import { Failed, None } from './parts/shown'
import { Frame } from './shell/frame'

/** page loads a page's code when it is first opened. */
function page(load: () => Promise<{ default: React.ComponentType }>) {
  return async () => ({ Component: (await load()).default })
}

export const router = createBrowserRouter(
  [
    {
      path: '/',
      element: <Frame />,
      errorElement: <Broken />,
      hydrateFallbackElement: <main className="main" role="status" aria-label="Loading" />,
      children: [
        { index: true, lazy: page(() => import('./pages/overview')) },
        { path: 'teams', lazy: page(() => import('./pages/teams/choose')) },
        { path: 'organizations/:target/teams', lazy: page(() => import('./pages/teams/list')) },
        { path: 'organizations/:target/teams/:team', lazy: page(() => import('./pages/teams/team')) },
        { path: 'organizations/:target/teams/:team/settings', lazy: page(() => import('./pages/teams/settings')) },
        {
          path: 'settings',
          lazy: page(() => import('./pages/settings/layout')),
          children: [
            { path: 'organizations', lazy: page(() => import('./pages/settings/organizations')) },
            { path: 'organizations/:target', lazy: page(() => import('./pages/settings/organizations')) },
            { path: 'enterprise', lazy: page(() => import('./pages/settings/enterprise')) },
            { path: 'guards', lazy: page(() => import('./pages/settings/guards')) },
            { path: 'schedule', lazy: page(() => import('./pages/settings/schedule')) },
            { path: 'notifications', lazy: page(() => import('./pages/settings/notifications')) },
            { path: 'notifications/:name', lazy: page(() => import('./pages/settings/notification')) },
            { path: 'tokens', lazy: page(() => import('./pages/settings/tokens')) },
            { path: 'roles', lazy: page(() => import('./pages/settings/roles')) },
            { path: 'sessions', lazy: page(() => import('./pages/settings/sessions')) },
            { path: 'about', lazy: page(() => import('./pages/settings/about')) },
          ],
        },
        { path: 'plans', lazy: page(() => import('./pages/plans')) },
        { path: 'organizations/:target/plan', lazy: page(() => import('./pages/plan')) },
        { path: 'runs', lazy: page(() => import('./pages/runs')) },
        { path: 'runs/:run', lazy: page(() => import('./pages/run')) },
        { path: 'runs/:run/undo', lazy: page(() => import('./pages/undo')) },
        { path: 'connections', lazy: page(() => import('./pages/connections/index')) },
        { path: 'connections/new/:what', lazy: page(() => import('./pages/connections/new')) },
        { path: 'connections/sources/:name', lazy: page(() => import('./pages/connections/source')) },
        { path: 'connections/targets/:name', lazy: page(() => import('./pages/connections/connection')) },
        { path: 'people', lazy: page(() => import('./pages/people/index')) },
        { path: 'people/why', lazy: page(() => import('./pages/people/why')) },
        { path: 'people/:source/:id', lazy: page(() => import('./pages/people/person')) },
        { path: 'people/account/:host/:account', lazy: page(() => import('./pages/people/person')) },
        { path: 'audit', lazy: page(() => import('./pages/audit')) },
        { path: 'link', lazy: page(() => import('./pages/link')) },
        {
          path: '*',
          element: <None title="There is no such page">The address may be wrong, or the page has moved.</None>,
        },
      ],
    },
  ],
  { basename: '/console' },
)

/** Broken is for what no page has foreseen. */
function Broken() {
  const error = useRouteError()
  return (
    <main className="main">
      <Failed error={error} again={() => window.location.reload()} />
    </main>
  )
}
