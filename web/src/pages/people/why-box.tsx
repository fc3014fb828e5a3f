import { Button, FormControl, TextInput } from '@primer/react'
import { type FormEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import { whyPath } from './words'

/** WhyBox asks why somebody is in a team, or why not. */
export function WhyBox(props: { user?: string; team?: string }) {
  const go = useNavigate()
  const [user, setUser] = useState(props.user ?? '')
  const [team, setTeam] = useState(props.team ?? '')
  const [lacks, setLacks] = useState(false)
  const ask = (e: FormEvent) => {
    e.preventDefault()
    if (!user.trim() || !team.trim()) {
      setLacks(true)
      document.getElementById(user.trim() ? 'why-team' : 'why-person')?.focus()
      return
    }
    void go(whyPath(user.trim(), team.trim()))
  }
  return (
    <form className="why-box" onSubmit={ask} aria-label="Why is somebody in a team?">
      <FormControl id="why-person">
        <FormControl.Label>Why is this person</FormControl.Label>
        <TextInput
          block
          placeholder="Login, mail address or source/id"
          value={user}
          onChange={(e) => setUser(e.target.value)}
        />
        {lacks && !user.trim() && <FormControl.Validation variant="error">Name a person.</FormControl.Validation>}
      </FormControl>
      <FormControl id="why-team">
        <FormControl.Label>in this team, or not</FormControl.Label>
        <TextInput
          block
          placeholder="Team, or organization/team"
          value={team}
          onChange={(e) => setTeam(e.target.value)}
        />
        {lacks && !team.trim() && <FormControl.Validation variant="error">Name a team.</FormControl.Validation>}
      </FormControl>
      <Button type="submit" className="why-ask">
        Ask why
      </Button>
    </form>
  )
}
