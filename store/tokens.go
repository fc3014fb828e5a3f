package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/store/internal/db"
)

// TokenPrefix is what the text of every Musterline token begins with. No token of GitHub's begins so.
const TokenPrefix = "mst_"

// A Token is a Musterline token without its text, which nobody can read again.
type Token struct {
	ID         string
	Name       string
	Target     string // empty: all
	Role       string // a word of api/access
	CreatedBy  string
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: never
	LastUsedAt time.Time // to the minute; zero: never
	RevokedAt  time.Time // zero: it stands
	RevokedBy  string
}

var (
	// ErrMistyped is in the chain of the error about a token or sign-in link that was never one of ours: its checksum is wrong.
	ErrMistyped = errors.New("a character is wrong or missing")
	// ErrExpired is in the chain of the error about a token or sign-in link whose time is over.
	ErrExpired = errors.New("expired")
	// ErrRevoked is in the chain of the error about a token that somebody revoked.
	ErrRevoked = errors.New("revoked")
	// ErrPage is in the chain of the error about a Page whose After no page said.
	ErrPage = errors.New("this page is not known")
)

// base62 are the digits of a token: the alphabet that secret scanners look for, and a double click selects it whole.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const (
	mintedDigits   = 43 // of 32 bytes: 62^43 > 2^256
	checksumDigits = 6  // of a CRC-32, as in GitHub's own tokens
)

// mint makes a text that nobody can guess: a prefix, 32 random bytes, and a checksum.
func mint(prefix string) string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	text := prefix + digits(new(big.Int).SetBytes(random[:]), mintedDigits)
	return text + checksum(text)
}

// minted reports whether a text can have been made by mint.
func minted(prefix, text string) bool {
	if len(text) != len(prefix)+mintedDigits+checksumDigits || !strings.HasPrefix(text, prefix) {
		return false
	}
	body := text[:len(text)-checksumDigits]
	return checksum(body) == text[len(body):]
}

func checksum(text string) string {
	return digits(big.NewInt(int64(crc32.ChecksumIEEE([]byte(text)))), checksumDigits)
}

// digits writes a number in base 62, with zeros before it.
func digits(n *big.Int, width int) string {
	out := make([]byte, width)
	base, digit := big.NewInt(int64(len(base62))), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = base62[digit.Int64()]
	}
	return string(out)
}

// CreateToken makes a token with the name, target, role and expiry of t. Its text is returned this once: only its SHA-256 is kept.
func (s *Store) CreateToken(ctx context.Context, t Token, by string) (made Token, text string, err error) {
	now := s.now()
	switch {
	case strings.TrimSpace(t.Name) == "":
		return Token{}, "", errors.New("create token: it needs a name, by which it is known when it is to be revoked")
	case t.Role == "":
		return Token{}, "", errors.New("create token: it needs a role")
	case !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now):
		return Token{}, "", errors.New("create token: its expiry is past")
	}
	text = mint(TokenPrefix)
	hash := sha256.Sum256([]byte(text))
	err = s.write(ctx, "create token", func(x *tx) error {
		if err := x.hold(ctx); err != nil {
			return err
		}
		number, err := x.number(ctx, "token")
		if err != nil {
			return err
		}
		row := db.PutTokenParams{
			Number: number, Hash: hash[:], Name: t.Name, Target: t.Target, Role: t.Role, MadeBy: by, MadeAt: micros(now),
			ExpiresAt: micros(t.ExpiresAt),
		}
		if err := x.PutToken(ctx, row); err != nil {
			return err
		}
		made = tokenOf(db.Token{
			Number: number, Name: row.Name, Target: row.Target, Role: row.Role, MadeBy: by, MadeAt: row.MadeAt, ExpiresAt: row.ExpiresAt,
		})
		return x.noteToken(ctx, "create", made, person(by), "")
	})
	if err != nil {
		return Token{}, "", err
	}
	return made, text, nil
}

// tokenBody is a token in an audit entry.
type tokenBody struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Why       string    `json:"why,omitempty"` // it was revoked with its target
}

func (t *tx) noteToken(ctx context.Context, act string, of Token, by audit.Actor, why string) error {
	_, err := t.record(ctx, note{
		kind: KindToken, act: act, target: of.Target, actor: by, body: tokenBody{of.ID, of.Name, of.Role, of.ExpiresAt, why},
	})
	return err
}

// person is the actor of what somebody did by hand.
func person(by string) audit.Actor { return audit.Actor{Trigger: "person", Requester: by} }

func tokenOf(r db.Token) Token {
	return Token{
		ID: strconv.FormatInt(r.Number, 10), Name: r.Name, Target: r.Target, Role: r.Role, CreatedBy: r.MadeBy, CreatedAt: moment(r.MadeAt),
		ExpiresAt: moment(r.ExpiresAt), LastUsedAt: moment(r.UsedAt), RevokedAt: moment(r.RevokedAt), RevokedBy: r.RevokedBy,
	}
}

// Token returns the token whose text this is. A text that is not one of ours is ErrMistyped, one that was never given out ErrNotFound; one
// that is ErrExpired or ErrRevoked comes with the token, so that the refusal can be told of by its name. No error holds the text.
func (s *Store) Token(ctx context.Context, text string) (Token, error) {
	if !minted(TokenPrefix, text) {
		return Token{}, fmt.Errorf("token: %w", ErrMistyped)
	}
	return s.TokenByHash(ctx, sha256.Sum256([]byte(text)))
}

// TokenByHash returns the token whose text has this SHA-256, with the errors of Token. It does the same work for every hash: what an index
// lets slip about a hash says nothing about the text.
func (s *Store) TokenByHash(ctx context.Context, hash [sha256.Size]byte) (Token, error) {
	row, err := s.queries.GetTokenByHash(ctx, hash[:])
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Token{}, fmt.Errorf("read token: %w", err)
	}
	if subtle.ConstantTimeCompare(row.Hash, hash[:]) != 1 {
		return Token{}, fmt.Errorf("token: %w", ErrNotFound)
	}
	t := tokenOf(row)
	switch {
	case !t.RevokedAt.IsZero():
		return t, fmt.Errorf("token %s: %w", t.ID, ErrRevoked)
	case !t.ExpiresAt.IsZero() && !s.now().Before(t.ExpiresAt):
		return t, fmt.Errorf("token %s: %w", t.ID, ErrExpired)
	}
	return t, nil
}

// Touch keeps that a token was used now. It writes at most once a minute for each, and leaves no audit entry.
func (s *Store) Touch(ctx context.Context, t Token) error {
	const often = time.Minute
	now := s.now()
	if now.Sub(t.LastUsedAt) < often {
		return nil
	}
	number, err := tokenNumber(t.ID)
	if err != nil {
		return err
	}
	return s.write(ctx, "keep the last use of token "+t.ID, func(x *tx) error {
		return x.TouchToken(ctx, db.TouchTokenParams{Now: micros(now), Number: number, UnlessSince: micros(now.Add(-often))})
	})
}

// Tokens lists tokens, those that ended too, the newest first: all, or those bound to one target.
func (s *Store) Tokens(ctx context.Context, target string, p Page) (tokens []Token, next string, err error) {
	before, err := p.number(math.MaxInt64)
	if err != nil {
		return nil, "", fmt.Errorf("list tokens: %w", err)
	}
	var rows []db.Token
	if target == "" {
		rows, err = s.queries.GetTokens(ctx, db.GetTokensParams{Before: before, AtMost: p.rows()})
	} else {
		rows, err = s.queries.GetTokensOf(ctx, db.GetTokensOfParams{Target: target, Before: before, AtMost: p.rows()})
	}
	if err != nil {
		return nil, "", fmt.Errorf("list tokens: %w", err)
	}
	rows, next = cut(p, rows, func(r db.Token) int64 { return r.Number })
	for _, r := range rows {
		tokens = append(tokens, tokenOf(r))
	}
	return tokens, next, nil
}

// TokenByID returns a token, whether it stands or not; ErrNotFound when there is none.
func (s *Store) TokenByID(ctx context.Context, id string) (Token, error) {
	number, err := tokenNumber(id)
	if err != nil {
		return Token{}, err
	}
	row, err := s.queries.GetToken(ctx, number)
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, fmt.Errorf("token %d: %w", number, ErrNotFound)
	}
	if err != nil {
		return Token{}, fmt.Errorf("read token %d: %w", number, err)
	}
	return tokenOf(row), nil
}

// RevokeToken ends a token at once; ErrNotFound when there is none. One that is revoked already stays as it is.
func (s *Store) RevokeToken(ctx context.Context, id, by string) error {
	number, err := tokenNumber(id)
	if err != nil {
		return err
	}
	return s.write(ctx, fmt.Sprintf("revoke token %d", number), func(x *tx) error {
		if err := x.hold(ctx); err != nil {
			return err
		}
		row, err := x.GetToken(ctx, number)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil || row.RevokedAt != 0 {
			return err
		}
		return x.revoke(ctx, row, person(by), "")
	})
}

func (t *tx) revoke(ctx context.Context, row db.Token, by audit.Actor, why string) error {
	p := db.RevokeTokenParams{RevokedBy: by.Requester, RevokedAt: micros(t.s.now()), Number: row.Number}
	if err := t.Queries.RevokeToken(ctx, p); err != nil {
		return err
	}
	return t.noteToken(ctx, "revoke", tokenOf(row), by, why)
}

// tokenNumber reads the id of a token. It does not repeat it: somebody may have put the text of a token there.
func tokenNumber(id string) (int64, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("token: a token is named by its number: %w", ErrNotFound)
	}
	return number, nil
}
