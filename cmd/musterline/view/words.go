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
