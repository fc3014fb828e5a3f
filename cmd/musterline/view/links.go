package view

import (
	"time"
)

// Links is what `link` lists.
type Links struct {
	Links []Link `json:"links"`
}

// A Link is who is which account, and how that is known.
type Link struct {
	User     string    `json:"user"` // "source/id"
	Host     string    `json:"host"`
	Account  string    `json:"account"`
	Login    string    `json:"login,omitempty"`
	Tier     string    `json:"tier"`
	State    string    `json:"state"` // standing, frozen, revoked; stated: said by hand, and no sync has looked yet
	Evidence string    `json:"evidence,omitempty"`
	By       string    `json:"by,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Trouble  string    `json:"trouble,omitempty"`
}

// Text writes a line for each link, and one more for what is wrong with it.
func (l Links) Text(s Screen) {
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
