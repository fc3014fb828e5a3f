package native

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"musterline.example/answer"
)

// A Page is what a list takes. Huma sees only exported types.
type Page struct {
	Cursor string `query:"cursor" maxLength:"2000" doc:"Where the list goes on: what the page before has named as next."`
	Size   int    `query:"size" minimum:"1" maximum:"1000" doc:"How many a page may hold; 100 when not said."`
}

func (p Page) size() int {
	if p.Size == 0 {
		return 100
	}
	return p.Size
}

// A mark is where a list goes on. Of is the list, with what was chosen of it: a cursor of another list is none of this one's.
type mark struct {
	Of string `json:"o"`
	At string `json:"a"`
}

// cursor names the page of a list that begins after at; empty when there is none.
func cursor(of, at string) string {
	if at == "" {
		return ""
	}
	text, err := json.Marshal(mark{fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(of))), at})
	if err != nil {
		panic("native: " + err.Error()) // two strings
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(text, "%08x", crc32.ChecksumIEEE(text)))
}

// at reads a cursor. A damaged one, or one of another list, is an error: to begin anew would show the same things twice.
func (p Page) at(of string) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	wrong := answer.Usagef("the cursor was not given out for this list").WithHint("begin the list anew")
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || len(text) < 8 {
		return "", wrong
	}
	text, sum := text[:len(text)-8], string(text[len(text)-8:])
	var m mark
	if sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE(text)) || json.Unmarshal(text, &m) != nil || m.At == "" ||
		m.Of != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(of))) {
		return "", wrong
	}
	return m.At, nil
}

// cut takes a page out of a list that is in order of a key: what comes after a key, so that nothing is shown twice when the list changes.
func cut[T any](p Page, of string, all []T, key func(T) string) (page []T, next string, err error) {
	after, err := p.at(of)
	if err != nil {
		return nil, "", err
	}
	page = []T{}
	for _, v := range all {
		if after != "" && key(v) <= after {
			continue
		}
		if len(page) == p.size() {
			return page, cursor(of, key(page[len(page)-1])), nil
		}
		page = append(page, v)
	}
	return page, "", nil
}
