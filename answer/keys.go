package answer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"musterline.example/store"
)

// A Keyring gives out what opens the doors of a server: tokens and roles. A House is one, and so is whoever stands for one at the other end of
// a network.
type Keyring interface {
	// Tokens lists tokens, those that ended too, the newest first.
	Tokens(ctx context.Context, wish PageWish) (Tokens, error)
	// CreateToken makes a token. Its text is in this answer and in no other.
	CreateToken(ctx context.Context, wish TokenWish) (Token, error)
	// RevokeToken ends a token at once.
	RevokeToken(ctx context.Context, wish RevokeWish) (Token, error)
}

var _ Keyring = (*House)(nil)

// A PageWish asks for a page of a list: the one that an answer has named as next, or the first.
type PageWish struct {
	Target string `json:"target,omitempty"` // only what is bound to it
	Next   string `json:"next,omitempty"`
	Size   int    `json:"size,omitempty"` // 100 when 0
}

// Tokens are tokens, the newest first.
type Tokens struct {
	Tokens []Token `json:"tokens"`
	Next   string  `json:"next,omitempty"`
}

// A Token is a Musterline token.
type Token struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Text       string    `json:"text,omitempty"` // once, when it is made
	Target     string    `json:"target"`         // empty: all
	Role       string    `json:"role"`
	CreatedBy  string    `json:"created_by"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"` // none: never
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	RevokedBy  string    `json:"revoked_by,omitempty"`
}

// State says in a word whether the token opens anything.
func (t Token) State(now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return "expired"
	}
	return "good"
}

// A TokenWish asks for a token.
type TokenWish struct {
	Name      string    `json:"name"`
	Target    string    `json:"target,omitempty"` // empty: all
	Role      string    `json:"role"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // none: never
	By        string    `json:"by,omitempty"`
}

// A RevokeWish ends a token.
type RevokeWish struct {
	ID string `json:"id"`
	By string `json:"by,omitempty"`
}

// RoleMeanings say what each role may, the least first.
var RoleMeanings = [][2]string{
	{"viewer", "look at everything of a target"},
	{"maintainer", "look, and map teams to groups"},
	{"owner", "everything within a target: sync, approve, pause, undo, link"},
	{"administrator", "everything, also sources, targets, settings, tokens and roles"},
}

// RoleNames are the roles, the least first.
func RoleNames() []string {
	names := make([]string, len(RoleMeanings))
	for i, m := range RoleMeanings {
		names[i] = m[0]
	}
	return names
}

// RoleMeaning says what a role may.
func RoleMeaning(role string) string {
	for _, m := range RoleMeanings {
		if m[0] == role {
			return m[1]
		}
	}
	return ""
}

// Tokens lists tokens.
func (h *House) Tokens(ctx context.Context, wish PageWish) (Tokens, error) {
	list := Tokens{Tokens: []Token{}}
	if h.Store == nil {
		return list, nil
	}
	tokens, next, err := h.Store.Tokens(ctx, wish.Target, store.Page{After: wish.Next, Limit: wish.Size})
	if errors.Is(err, store.ErrPage) {
		return list, Usagef("there is no such page")
	}
	for _, t := range tokens {
		list.Tokens = append(list.Tokens, tokenOf(t))
	}
	list.Next = next
	return list, err
}

func tokenOf(t store.Token) Token {
	return Token{
		ID: t.ID, Name: t.Name, Target: t.Target, Role: t.Role, CreatedBy: t.CreatedBy, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
		LastUsedAt: t.LastUsedAt, RevokedAt: t.RevokedAt, RevokedBy: t.RevokedBy,
	}
}

// longestName is how many bytes a name of a token may have.
const longestName = 100

// CreateToken makes a token.
func (h *House) CreateToken(ctx context.Context, wish TokenWish) (Token, error) {
	switch {
	case strings.TrimSpace(wish.Name) == "":
		return Token{}, Usagef("a token needs a name, by which it is known when it is to be revoked")
	case len(wish.Name) > longestName || strings.ContainsFunc(wish.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Token{}, Usagef("the name of a token is one line of at most %d bytes", longestName)
	case wish.Role == "":
		return Token{}, Usagef("a token needs a role: %s", strings.Join(RoleNames(), ", "))
	case !wish.ExpiresAt.IsZero() && !wish.ExpiresAt.After(h.now()):
		return Token{}, Usagef("the token would have ended before it is made")
	}
	if err := OneOf("role", wish.Role, RoleNames()); err != nil {
		return Token{}, err
	}
	if wish.Target != "" {
		if err := OneOf("target", wish.Target, h.targetNames()); err != nil {
			return Token{}, err
		}
		if wish.Role == "administrator" {
			return Token{}, Usagef("an administrator is one of the whole server: name no target, or make the token an owner's")
		}
	}
	if err := h.writes(); err != nil {
		return Token{}, err
	}
	made, text, err := h.Store.CreateToken(ctx, store.Token{Name: wish.Name, Target: wish.Target, Role: wish.Role, ExpiresAt: wish.ExpiresAt}, wish.By)
	t := tokenOf(made)
	t.Text = text
	return t, err
}

// RevokeToken ends a token at once. One that has ended already stays as it is.
func (h *House) RevokeToken(ctx context.Context, wish RevokeWish) (Token, error) {
	if err := h.writes(); err != nil {
		return Token{}, err
	}
	err := h.Store.RevokeToken(ctx, wish.ID, wish.By)
	if errors.Is(err, store.ErrNotFound) {
		return Token{}, Errorf(NotFound, "there is no such token").WithHint("a token is named by its number: musterline token list")
	}
	if err != nil {
		return Token{}, err
	}
	t, err := h.Store.TokenByID(ctx, wish.ID)
	return tokenOf(t), err
}

// Token returns a token without its text.
func (h *House) Token(ctx context.Context, id string) (Token, error) {
	if h.Store == nil {
		return Token{}, Errorf(NotFound, "there is no such token")
	}
	t, err := h.Store.TokenByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Token{}, Errorf(NotFound, "there is no such token")
	}
	return tokenOf(t), err
}

// Roles are roles that were assigned, the oldest first.
type Roles struct {
	Roles []Role `json:"roles"`
	Next  string `json:"next,omitempty"`
}

// A Role is one that a subject was given.
type Role struct {
	Subject string    `json:"subject"` // oidc:issuer#sub, github:host#id, or group:source/id
	Role    string    `json:"role"`
	Target  string    `json:"target"` // empty: all
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Roles lists the roles that were assigned.
func (h *House) Roles(ctx context.Context, wish PageWish) (Roles, error) {
	list := Roles{Roles: []Role{}}
	assigned, next, err := h.Store.Roles(ctx, store.Page{After: wish.Next, Limit: wish.Size})
	if errors.Is(err, store.ErrPage) {
		return list, Usagef("there is no such page")
	}
	for _, a := range assigned {
		list.Roles = append(list.Roles, Role{Subject: a.Subject, Role: a.Role, Target: a.Target, By: a.By, At: a.At})
	}
	list.Next = next
	return list, err
}

// AssignRole gives a subject a role, in place of the one that it has there.
func (h *House) AssignRole(ctx context.Context, r Role) (Role, error) {
	if err := OneOf("role", r.Role, RoleNames()); err != nil {
		return Role{}, err
	}
	if err := h.mayAssign(r); err != nil {
		return Role{}, err
	}
	if r.Target != "" && r.Role == "administrator" {
		return Role{}, Usagef("an administrator is one of the whole server: name no target")
	}
	if err := h.Store.AssignRole(ctx, store.Assigned{Subject: r.Subject, Role: r.Role, Target: r.Target}, r.By); err != nil {
		return Role{}, err
	}
	all, err := h.Store.RolesOf(ctx, r.Subject)
	for _, a := range all {
		if a.Target == r.Target {
			r.Role, r.By, r.At = a.Role, a.By, a.At
		}
	}
	return r, err
}

// WithdrawRole takes the role away that a subject has on a target, or on all.
func (h *House) WithdrawRole(ctx context.Context, r Role) error {
	if err := h.mayAssign(r); err != nil {
		return err
	}
	err := h.Store.WithdrawRole(ctx, r.Subject, r.Target, r.By)
	if errors.Is(err, store.ErrNotFound) {
		return Errorf(NotFound, "the subject has no role there")
	}
	return err
}

func (h *House) mayAssign(r Role) error {
	sort, rest, _ := strings.Cut(r.Subject, ":")
	apart := map[string]string{"oidc": "#", "github": "#", "group": "/"}[sort]
	left, right, both := strings.Cut(rest, apart)
	if apart == "" || !both || left == "" || right == "" || len(r.Subject) > 1000 || strings.ContainsFunc(r.Subject, func(c rune) bool { return c <= ' ' }) {
		return Usagef("a subject is written oidc:ISSUER#SUBJECT, github:HOST#NUMBER or group:SOURCE/ID")
	}
	if r.Target != "" && !slices.Contains(h.targetNames(), r.Target) {
		return OneOf("target", r.Target, h.targetNames())
	}
	return h.writes()
}
