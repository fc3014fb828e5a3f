package github

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// A position is the group after which a page begins.
type position struct {
	Folded string `json:"f"`
	ID     string `json:"i"` // "source:id"
}

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.Folded, o.Folded), cmp.Compare(p.ID, o.ID))
}

func (p position) before(o position) bool { return p.compare(o) < 0 }

// cursorMark begins every cursor: go-github takes one of digits alone for the number of a page, and then asks for no more.
const cursorMark = "g"

// scope is what a cursor is good for and nothing else. All of it is under the seal, none of it in the cursor.
type scope struct {
	Target  string `json:"t"`
	Query   string `json:"q"`
	PerPage int    `json:"n"`
}

// cursor writes a position as a text that means nothing to anybody else. It holds letters, digits, - and _ only: clients cut the header
// that it stands in at commas, semicolons and angle brackets.
func (a *API) cursor(s scope, p position) string {
	body, err := json.Marshal(p)
	if err != nil {
		panic("github: " + err.Error()) // strings can always be encoded
	}
	return cursorMark + base64.RawURLEncoding.EncodeToString(append(a.seal(s, body), body...))
}

// position reads a cursor that cursor wrote for the same scope.
func (a *API) position(s scope, cursor string) (position, error) {
	var p position
	wrong := problemf(http.StatusUnprocessableEntity, docsList,
		"Invalid request.\n\npage is no page of this list: take it from the Link header of the page before, with the same q and per_page.")
	if len(cursor) <= len(cursorMark) || cursor[:len(cursorMark)] != cursorMark {
		return p, wrong
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor[len(cursorMark):])
	if err != nil || len(raw) < sealSize || !hmac.Equal(raw[:sealSize], a.seal(s, raw[sealSize:])) {
		return p, wrong
	}
	if json.Unmarshal(raw[sealSize:], &p) != nil {
		return p, wrong
	}
	return p, nil
}

const sealSize = 16

func (a *API) seal(s scope, body []byte) []byte {
	about, err := json.Marshal(s)
	if err != nil {
		panic("github: " + err.Error()) // strings and a number
	}
	h := hmac.New(sha256.New, a.key)
	_, _ = h.Write(about)
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(body)
	return h.Sum(nil)[:sealSize]
}
