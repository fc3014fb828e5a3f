package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"musterline.example/api/access"
)

// flowLife is how long somebody may take at a provider.
const flowLife = 10 * time.Minute

// A flow is one way of a browser to a provider and back. It travels in a cookie that only we can read or make, so that who begins one leaves
// nothing with us, any server may end it, and nobody can end it in another browser.
type flow struct {
	Way      access.Way `json:"way"`
	State    string     `json:"state"`
	Nonce    string     `json:"nonce"`
	Verifier string     `json:"verifier"` // of PKCE (RFC 7636)
	To       string     `json:"to"`
	Proves   string     `json:"proves,omitempty"` // the session that somebody proves more in; empty: somebody signs in
	Again    bool       `json:"again,omitempty"`  // and had proven this before
	At       time.Time  `json:"at"`
}

// flows seal flows, and know those that have ended lately.
type flows struct {
	sealed cipher.AEAD
	now    func() time.Time

	mu    sync.Mutex
	ended map[[sha256.Size]byte]time.Time // by state
}

func newFlows(key []byte, now func() time.Time) *flows {
	sum := sha256.Sum256(key)
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		panic("signin: " + err.Error()) // the key has the right length
	}
	sealed, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("signin: " + err.Error())
	}
	return &flows{sealed: sealed, now: now, ended: map[[sha256.Size]byte]time.Time{}}
}

// begin makes a flow.
func (f *flows) begin(way access.Way, to string) flow {
	return flow{Way: way, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: to, At: f.now().UTC()}
}

// flowPlace is what a sealed flow is bound to.
const flowPlace = "sign-in flow 1"

func (f *flows) seal(one flow) (string, error) {
	text, err := json.Marshal(one)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(f.sealed.Seal(nil, nil, text, []byte(flowPlace))), nil //nolint:gosec // this AEAD takes no nonce: it draws one
}

func (f *flows) open(value string) (one flow, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return one, false
	}
	text, err := f.sealed.Open(nil, nil, sealed, []byte(flowPlace))
	if err != nil || json.Unmarshal(text, &one) != nil {
		return one, false
	}
	return one, true
}

// use ends a flow; it is false for one that has been ended before. Of a flow that was ended at another server the provider itself refuses the
// code, which is good for once.
func (f *flows) use(one flow) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	for state, at := range f.ended {
		if now.Sub(at) > flowLife {
			delete(f.ended, state)
		}
	}
	state := sha256.Sum256([]byte(one.State))
	if _, was := f.ended[state]; was {
		return false
	}
	f.ended[state] = one.At
	return true
}

// doorCookie stands behind the name of the session's cookie in that of the one in which a flow travels.
const doorCookie = "-door"

// depart sends the browser to a provider, whose address for this flow is made by to.
func (s *SignIn) depart(w http.ResponseWriter, r *http.Request, way access.Way, to func(flow) (string, error)) {
	one := s.flows.begin(way, within(r.URL.Query().Get("return")))
	if r.URL.Query().Get("prove") != "" {
		kept, found, err := s.kept.Get(r.Context(), s.token(r))
		if err != nil {
			s.fault(w, r, err)
			return
		}
		if d, err := read(kept.Data); found && err == nil && d.Held.Subject != "" {
			one.Proves = kept.ID
			one.Again = way == access.ByOIDC && d.Held.User != nil || way == access.ByGitHub && d.Held.Account != nil
		}
	}
	address, err := to(one)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	sealed, err := s.flows.seal(one)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	s.setCookie(w, r, doorCookie, sealed, int(flowLife.Seconds()))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// arrive takes up the flow of a browser that comes back from a provider. What is wrong with it has been told when ok is false.
func (s *SignIn) arrive(w http.ResponseWriter, r *http.Request, way access.Way, name string) (one flow, ok bool) {
	query := r.URL.Query()
	if c, err := r.Cookie(s.base(r).cookie + doorCookie); err == nil {
		one, ok = s.flows.open(c.Value)
	}
	s.setCookie(w, r, doorCookie, "", -1)
	again := s.again(way, one.To)
	switch {
	case !ok, one.Way != way, subtle.ConstantTimeCompare([]byte(one.State), []byte(query.Get("state"))) != 1:
		s.tell(w, r, otherBrowser.with(name, again))
	case s.Now().Sub(one.At) > flowLife:
		s.tell(w, r, tookTooLong.with(name, again))
	case !s.flows.use(one):
		s.tell(w, r, usedBefore.with(name, again))
	case query.Get("error") != "":
		s.Log.InfoContext(r.Context(), "a provider has refused to let somebody in", "provider", name, "code", code(query.Get("error")))
		s.tell(w, r, refusedBy(query.Get("error")).with(name, again))
	case query.Get("code") == "":
		s.tell(w, r, noCode.with(name, again))
	default:
		return one, true
	}
	return one, false
}

// code is a provider's word for what went wrong, when it has the form of one.
func code(word string) string {
	if len(word) > 60 {
		return "a long one"
	}
	for _, c := range word {
		if (c < 'a' || c > 'z') && c != '_' {
			return "an unknown one"
		}
	}
	return word
}

// again is where a door is tried once more.
func (s *SignIn) again(way access.Way, to string) string {
	address := Prefix + "/" + string(way)
	if to != "" && to != home {
		address += "?return=" + url.QueryEscape(to)
	}
	return address
}

// proven ends a flow in which somebody has shown who they are: as add says it in the session that they have, or in a new one.
func (s *SignIn) proven(w http.ResponseWriter, r *http.Request, one flow, add func(*held)) {
	h, until := held{Since: s.Now().UTC()}, time.Time{}
	if one.Proves != "" {
		kept, found, err := s.kept.Get(r.Context(), s.token(r))
		if err != nil {
			s.fault(w, r, err)
			return
		}
		if !found || kept.ID != one.Proves {
			s.tell(w, r, sessionOver.with("", s.again(one.Way, one.To)))
			return
		}
		d, err := read(kept.Data)
		if err != nil {
			s.fault(w, r, err)
			return
		}
		h, until = d.Held, d.Deadline
	}
	add(&h)
	if h.Way == access.ByGitHub && h.User == nil && !s.welcome(w, r, h) {
		return
	}
	s.enter(w, r, h, until, one.To)
}
