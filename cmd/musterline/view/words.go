package view

import "musterline.example/plan"

// sign is how an act is written in front of a login.
func sign(act string) string {
	switch plan.Act(act) {
	case plan.Add:
		return "+"
	case plan.Update:
		return "~"
	default:
		return "−"
	}
}

// AskedBy says what set something off, and who, as the end of a sentence.
func AskedBy(trigger, requester string) string {
	what := map[string]string{"schedule": "on schedule", "event": "after an event", "undo": "as an undo", "file": "by the configuration file"}[trigger]
	switch {
	case what == "" && requester == "":
		return ""
	case what == "":
		return ", asked for by " + requester
	case requester == "":
		return ", " + what
	}
	return ", " + what + " (" + requester + ")"
}
