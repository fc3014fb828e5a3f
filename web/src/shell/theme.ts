import { useSyncExternalStore } from 'react'

/** How the console looks: as the system does, or by the person's own choice, kept in this browser. */
export type Mode = 'auto' | 'day' | 'night'

const key = 'musterline.theme'
const changed = new EventTarget()

function chosen(): Mode {
  const kept = window.localStorage.getItem(key)
  return kept === 'day' || kept === 'night' ? kept : 'auto'
}

function subscribe(hear: () => void) {
  changed.addEventListener('change', hear)
  return () => changed.removeEventListener('change', hear)
}

export function useTheme(): [Mode, (mode: Mode) => void] {
  const mode = useSyncExternalStore(subscribe, chosen)
  return [
    mode,
    (next) => {
      window.localStorage.setItem(key, next)
      changed.dispatchEvent(new Event('change'))
    },
  ]
}
