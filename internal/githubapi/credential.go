package githubapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
)

// A Kind is a sort of credential.
type Kind string

// The kinds of credential, told apart by the prefix of a token (GitHub: "About authentication", token formats).
const (
	App         Kind = "GitHub App"
	FineGrained Kind = "fine-grained token"
	Classic     Kind = "classic token"
	OAuth       Kind = "OAuth token"
	Other       Kind = "token" // made before prefixes, or by a GitHub that has none
)

// KindOf tells what a token is, without asking anybody.
func KindOf(token string) Kind {
	switch {
	case strings.HasPrefix(token, "github_pat_"):
		return FineGrained
	case strings.HasPrefix(token, "ghp_"):
		return Classic
	case strings.HasPrefix(token, "gho_"), strings.HasPrefix(token, "ghu_"):
		return OAuth
	case strings.HasPrefix(token, "ghs_"):
		return App
	}
	return Other
}

// A credential signs calls.
type credential interface {
	kind() Kind
	// token returns what to put into the Authorization header. An App asks GitHub for it when the last one is about to end.
	token(ctx context.Context) (string, error)
	// rejected says that GitHub did not accept the token.
	rejected()
	// secret is what must never be repeated.
	secret() string
}

// A personal is a token that somebody made by hand.
type personal string

func (p personal) kind() Kind                            { return KindOf(string(p)) }
func (p personal) token(context.Context) (string, error) { return string(p), nil }
func (p personal) rejected()                             {}
func (p personal) secret() string                        { return string(p) }

// A Pool holds what belongs to a credential and not to a client: the limiter, because GitHub's limits are the credential's; the answers
// to revalidate; an App's running token. Clients of one pool with the same credential share them.
type Pool struct {
	mu   sync.Mutex
	held map[string]*shared
}

type shared struct {
	limiter *Limiter
	cache   Cache
	grant   grant
	seen    sightings
}

// process is the pool of clients that were given none: limits are per credential, whoever in this process uses it.
var process = NewPool()

// NewPool returns an empty pool, for tests that want limits of their own.
func NewPool() *Pool { return &Pool{held: map[string]*shared{}} }

func (p *Pool) of(endpoint Endpoint, parts ...string) *shared {
	h := sha256.New()
	for _, part := range append([]string{endpoint.REST.String()}, parts...) {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	key := hex.EncodeToString(h.Sum(nil))
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.held[key]
	if s == nil {
		s = &shared{limiter: NewLimiter(-1, 0), cache: NewMemoryCache(32 << 20)}
		p.held[key] = s
	}
	return s
}
