package view

import "musterline.example/answer"

// Links writes a line for each link, and one more for what is wrong with it.
func Links(s Screen, l answer.Links) {
	if len(l.Links) == 0 {
		s.Para(0, "Nobody is linked yet. The first sync links everybody whose account is known; by hand: musterline link add")
		return
	}
	rows := [][]string{s.Header("USER", "ACCOUNT", "LOGIN", "BY", "STATE")}
	for _, link := range l.Links {
		rows = append(rows, []string{link.User, link.Host + "/" + link.Account, dash(link.Login), link.Tier, link.State})
	}
	widths := columns(rows)
	for i, row := range rows {
		for j := range row[:len(row)-1] {
			row[j] = pad(row[j], widths[j])
		}
		s.Table(0, [][]string{row})
		if i > 0 && l.Links[i-1].Trouble != "" {
			s.hangIn(yellow, "    ", "    ", l.Links[i-1].Trouble)
		}
	}
}
