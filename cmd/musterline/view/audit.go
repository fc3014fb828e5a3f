package view

import (
	"fmt"
	"time"

	"musterline.example/answer"
	"musterline.example/internal/words"
)

// Audit writes an entry a line: number, time, who, what.
func Audit(s Screen, a answer.Audit, now time.Time) {
	if len(a.Entries) == 0 {
		s.Para(0, "No entries.")
		return
	}
	rows := [][]string{s.Header("ENTRY", "TIME", "RUN", "WHAT")}
	for _, e := range a.Entries {
		at := e.At.In(now.Location()).Format("2006-01-02 15:04:05")
		rows = append(rows, []string{fmt.Sprint(e.Seq), at, dash(e.Run), answer.Sentence(a.Names, e)})
	}
	s.Table(0, rows)
	if a.More {
		s.Para(0, "There are older entries: --limit N or --all shows them.")
	}
}

// Verified writes that the audit record is whole, and its head.
func Verified(s Screen, v answer.Verified) {
	entries := "1 entry"
	if v.Entries != 1 {
		entries = words.Figure(int(v.Entries)) + " entries"
	}
	s.Line("The audit record is whole: %s, from %d to %d.", entries, v.First, v.Last)
	s.Line("Head: %s", v.Head)
}
