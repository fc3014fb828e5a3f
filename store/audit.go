package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"musterline.example/audit"
	"musterline.example/store/internal/db"
)

// A Kind is the sort of an audit entry.
type Kind string

// The kinds of entries.
const (
	KindIntent     Kind = "intent"     // what is about to be done to a team
	KindOutcome    Kind = "outcome"    // how one write of it ended, and what that made of the ledger
	KindClose      Kind = "close"      // every write of an intent has its outcome
	KindFound      Kind = "found"      // members that the ledger took up as justified
	KindForget     Kind = "forget"     // rows that left the ledger without a write on the target
	KindRestore    Kind = "restore"    // ledger rows that an undo put back
	KindMapping    Kind = "mapping"    // mappings of a team that came, went or were pinned
	KindLink       Kind = "link"       // links that were made or changed their state, and statements of people
	KindWaiver     Kind = "waiver"     // a person's acceptance of changes
	KindPause      Kind = "pause"      // of a target
	KindResume     Kind = "resume"     // of a target
	KindCredential Kind = "credential" // one was saved or deleted; never what it is
	KindToken      Kind = "token"      // a Musterline token was created or revoked; never its text
	KindRole       Kind = "role"       // a role was assigned or withdrawn
	KindSession    Kind = "session"    // somebody signed in or out, or a session was revoked
	KindSignIn     Kind = "sign-in"    // a sign-in link was created or used; never its text
	KindConfigured Kind = "configured" // a configured row was created, changed or deleted; never its secrets
	KindCheckpoint Kind = "checkpoint" // the record was pruned up to here
)

// Kinds are all kinds of entries, those first that people look for. The record takes no other.
var Kinds = []Kind{
	KindOutcome, KindIntent, KindWaiver, KindMapping, KindLink, KindPause, KindResume, KindCancel, KindConfigured, KindRole, KindToken,
	KindCredential, KindSession, KindSignIn, KindFound, KindForget, KindRestore, KindClose, KindCheckpoint,
}

// Acts are all that entries say was done: to a membership, to a team or a row of the configuration, to a statement of a person, to a role, a
// token or a session. An entry may have none; the record takes no other.
var Acts = []string{
	"add", "remove", "update", "cancel", "create", "change", "delete", "turn-on", "turn-off", "state", "unstate", "assign", "withdraw", "revoke",
	"save", "begin", "end", "use",
}

// An Entry is one line of the audit record.
type Entry struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Kind    Kind            `json:"kind"`
	Run     string          `json:"run,omitempty"`
	Target  string          `json:"target,omitempty"`
	Team    string          `json:"team,omitempty"`
	Account string          `json:"account,omitempty"`
	Act     string          `json:"act,omitempty"`
	Result  string          `json:"result,omitempty"`
	Actor   audit.Actor     `json:"actor,omitzero"`
	Body    json.RawMessage `json:"body"`
	MAC     string          `json:"mac"` // links the entry to all before it
}

// genesis is what the first entry is linked to.
var genesis = make([]byte, sha256.Size)

// A head says where the record begins and ends.
type head struct {
	seq     int64
	mac     []byte
	baseSeq int64
	baseMAC []byte
}

// count is how many entries there are.
func (h head) count() int64 { return h.seq - h.baseSeq }

// seal is what proves that a head is ours.
func (s *Store) seal(h head) []byte {
	return s.mac([]byte("head"), number(h.seq), h.mac, number(h.baseSeq), h.baseMAC)
}

// link is what an entry is linked with to the one before it.
func (s *Store) link(before []byte, e db.AuditEntry) []byte {
	return s.mac([]byte("entry"), before, number(e.Seq), number(e.At), []byte(e.Kind), []byte(e.Run), []byte(e.Target), []byte(e.Team),
		[]byte(e.Account), []byte(e.Act), []byte(e.Result), []byte(e.Credential), []byte(e.Cause), []byte(e.Requester), []byte(e.Body))
}

// mac is the HMAC-SHA256 of the parts, each with its length before it, so that no two lists of parts give the same bytes.
func (s *Store) mac(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, s.chain)
	for _, p := range parts {
		h.Write(number(int64(len(p))))
		h.Write(p)
	}
	return h.Sum(nil)
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// hold makes this transaction the only one that appends to the record, and reads where it ends. Every transaction that leaves an entry
// calls it first, before it reads what it is about to change.
func (t *tx) hold(ctx context.Context) error {
	if t.last != nil {
		return nil
	}
	row, err := t.LockHead(ctx)
	if err != nil {
		return fmt.Errorf("read head of the audit record: %w", err)
	}
	h := head{row.Seq, row.Mac, row.BaseSeq, row.BaseMac}
	if !hmac.Equal(row.Seal, t.s.seal(h)) {
		// To go on would put our seal under whatever somebody made of it.
		return &Broken{Seq: h.seq, Reason: "its head was changed by somebody else, so nothing is added to it: restore the database from a backup"}
	}
	t.last = &h
	return nil
}

// putHead moves the head.
func (t *tx) putHead(ctx context.Context, h head) error {
	return t.PutHead(ctx, db.PutHeadParams{Seq: h.seq, Mac: h.mac, BaseSeq: h.baseSeq, BaseMac: h.baseMAC, Seal: t.s.seal(h)})
}

var auditEntries = table{name: "audit_entries", columns: []string{
	"seq", "at", "kind", "run", "target", "team", "account", "act", "result", "credential", "cause", "requester", "body", "mac",
}}

// record appends entries, whose Body is any value, and returns the number of the first.
func (t *tx) record(ctx context.Context, entries ...note) (first int64, err error) {
	if err := t.hold(ctx); err != nil {
		return 0, err
	}
	first = t.last.seq + 1
	rows := make([]db.AuditEntry, len(entries))
	for i, n := range entries {
		if !slices.Contains(Kinds, n.kind) || n.act != "" && !slices.Contains(Acts, n.act) {
			return 0, fmt.Errorf("audit entry: there is no kind %q or no act %q", n.kind, n.act)
		}
		body, err := encode(n.body)
		if err != nil {
			return 0, fmt.Errorf("audit entry: %w", err)
		}
		at := n.at
		if at.IsZero() {
			at = t.s.now()
		}
		row := db.AuditEntry{
			Seq: t.last.seq + 1, At: micros(at), Kind: string(n.kind), Run: n.run, Target: n.target, Team: n.team, Account: n.account,
			Act: n.act, Result: n.result, Credential: n.actor.Credential, Cause: n.actor.Trigger, Requester: n.actor.Requester, Body: body,
		}
		row.Mac = t.s.link(t.last.mac, row)
		t.last.seq, t.last.mac = row.Seq, row.Mac
		rows[i] = row
	}
	if err := t.put(ctx, auditEntries, len(rows), func(i int) []any {
		r := &rows[i]
		return []any{
			r.Seq, r.At, r.Kind, r.Run, r.Target, r.Team, r.Account, r.Act, r.Result, r.Credential, r.Cause, r.Requester, r.Body, r.Mac,
		}
	}); err != nil {
		return 0, fmt.Errorf("audit entry: %w", err)
	}
	return first, t.putHead(ctx, *t.last)
}

// A note is an entry before it is written down.
type note struct {
	kind                                    Kind
	at                                      time.Time // now when zero
	run, target, team, account, act, result string
	actor                                   audit.Actor
	body                                    any
}

// A Filter chooses audit entries: those that fit everything that is set. Its zero value chooses all, the newest first.
type Filter struct {
	Target, Team, Account, Run string
	Kind                       Kind
	Act, Result                string
	Requester                  string // who asked
	Credential, Trigger        string // under what it was done, and what set it off

	// Text is a part of an account's login, of a team's slug, or of the name of who asked, in small letters or capitals. Logins and slugs are
	// those that are known now.
	Text string

	// Targets bounds what may be seen: only entries of these. None at all are seen of an empty list, and nil is no bound.
	Targets []string

	Since, Until time.Time // from the first moment, and before the second

	// The number of an entry is where a list goes on, whatever was added meanwhile: Before it when the newest come first, After it when the
	// oldest do.
	Oldest        bool // the oldest first
	Before, After int64
	Limit         int // 100 when 0; an export knows no limit
}

// where is the filter in SQL. It names only what is set, so that the databases find their index.
func (f Filter) where() (string, []any) {
	var (
		conditions []string
		values     []any
	)
	value := func(v any) string {
		values = append(values, v)
		return fmt.Sprintf("$%d", len(values))
	}
	for _, c := range [][2]string{
		{"target", f.Target}, {"team", f.Team}, {"account", f.Account}, {"run", f.Run}, {"kind", string(f.Kind)}, {"act", f.Act},
		{"result", f.Result}, {"requester", f.Requester}, {"credential", f.Credential}, {"cause", f.Trigger},
	} {
		if c[1] != "" {
			conditions = append(conditions, c[0]+" = "+value(c[1]))
		}
	}
	if !f.Since.IsZero() {
		conditions = append(conditions, "at >= "+value(micros(f.Since)))
	}
	if !f.Until.IsZero() {
		conditions = append(conditions, "at < "+value(micros(f.Until)))
	}
	if f.Before > 0 {
		conditions = append(conditions, "seq < "+value(f.Before))
	}
	if f.After > 0 {
		conditions = append(conditions, "seq > "+value(f.After))
	}
	if f.Targets != nil {
		names := []string{"NULL"} // which nothing is in
		for _, target := range f.Targets {
			names = append(names, value(target))
		}
		conditions = append(conditions, "target IN ("+strings.Join(names, ", ")+")")
	}
	if f.Text != "" {
		conditions = append(conditions, strings.ReplaceAll(textCondition, "TEXT", value(part(f.Text))))
	}
	if len(conditions) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(conditions, " AND "), values
}

// textCondition finds entries by names. It looks for the names where there is one row for each, not through the whole record.
const textCondition = `(lower(requester) LIKE TEXT ESCAPE '!'
	OR account IN (SELECT account FROM members WHERE lower(login) LIKE TEXT ESCAPE '!'
		UNION SELECT account FROM links WHERE account <> '' AND lower(login) LIKE TEXT ESCAPE '!')
	OR team IN (SELECT team FROM intents WHERE team <> '' AND lower(slug) LIKE TEXT ESCAPE '!'
		UNION SELECT team_id FROM mappings WHERE team_id <> '' AND lower(team) LIKE TEXT ESCAPE '!'))`

// part is the pattern of whatever contains a text.
func part(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(text)) + "%"
}

const entryColumns = "seq, at, kind, run, target, team, account, act, result, credential, cause, requester, body, mac"

// Entries lists audit entries, the newest first unless the filter says otherwise.
func (s *Store) Entries(ctx context.Context, f Filter) ([]Entry, error) {
	where, values := f.where()
	order := "DESC"
	if f.Oldest {
		order = "ASC"
	}
	var entries []Entry
	err := s.each(ctx, s.reads, "SELECT "+entryColumns+" FROM audit_entries"+where+
		fmt.Sprintf(" ORDER BY seq %s LIMIT %d", order, cmp.Or(f.Limit, 100)), values, func(row db.AuditEntry) error {
		entries = append(entries, entryOf(row))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read audit record: %w", err)
	}
	return entries, nil
}

// Entry returns one audit entry.
func (s *Store) Entry(ctx context.Context, seq int64) (Entry, error) {
	row, err := s.queries.GetEntry(ctx, seq)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, fmt.Errorf("audit entry %d: %w", seq, ErrNotFound)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read audit entry %d: %w", seq, err)
	}
	return entryOf(row), nil
}

// Export writes audit entries as lines of JSON, the oldest first, up to the one that was the last when it began.
func (s *Store) Export(ctx context.Context, w io.Writer, f Filter) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return s.export(ctx, f, func(entries []Entry) error {
		for _, e := range entries {
			if err := enc.Encode(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// export hands out audit entries by the handful. No question to the database is open while they are written: who reads an export slowly
// keeps nobody waiting.
func (s *Store) export(ctx context.Context, f Filter, write func([]Entry) error) error {
	end, err := s.queries.GetHead(ctx)
	if err != nil {
		return fmt.Errorf("export audit record: %w", err)
	}
	if f.Before == 0 || f.Before > end.Seq {
		f.Before = end.Seq + 1
	}
	f.Oldest, f.Limit = true, 200
	for {
		entries, err := s.Entries(ctx, f)
		if err != nil {
			return err
		}
		if err := write(entries); err != nil {
			return fmt.Errorf("export audit record: %w", err)
		}
		if len(entries) < f.Limit {
			return nil
		}
		f.After = entries[len(entries)-1].Seq
	}
}

// ExportCSV writes audit entries as comma-separated values, the oldest first, under a line with the names of the columns. It is RFC 4180 but
// for the ends of lines, which are line feeds: a carriage return in a cell would not survive the others. A cell that a spreadsheet would take
// for a formula has an apostrophe before it.
func (s *Store) ExportCSV(ctx context.Context, w io.Writer, f Filter) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{
		"seq", "at", "kind", "run", "target", "team", "account", "act", "result", "credential", "trigger", "requester", "body", "mac",
	}); err != nil {
		return fmt.Errorf("export audit record: %w", err)
	}
	return s.export(ctx, f, func(entries []Entry) error {
		for _, e := range entries {
			cells := []string{
				strconv.FormatInt(e.Seq, 10), e.At.Format(time.RFC3339Nano), string(e.Kind), e.Run, e.Target, e.Team, e.Account, e.Act, e.Result,
				e.Actor.Credential, e.Actor.Trigger, e.Actor.Requester, string(e.Body), e.MAC,
			}
			for i := range cells {
				cells[i] = defused(cells[i])
			}
			if err := out.Write(cells); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
}

// defused makes sure that a spreadsheet shows a cell and does not reckon with it (OWASP, "CSV Injection").
func defused(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// asker is what both a pool and a transaction can do.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls f for every entry of a query.
func (s *Store) each(ctx context.Context, in asker, query string, values []any, f func(db.AuditEntry) error) error {
	rows, err := in.QueryContext(ctx, query, values...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r db.AuditEntry
		if err := rows.Scan(&r.Seq, &r.At, &r.Kind, &r.Run, &r.Target, &r.Team, &r.Account, &r.Act, &r.Result, &r.Credential, &r.Cause,
			&r.Requester, &r.Body, &r.Mac); err != nil {
			return err
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

func entryOf(r db.AuditEntry) Entry {
	return Entry{
		Seq: r.Seq, At: moment(r.At), Kind: Kind(r.Kind), Run: r.Run, Target: r.Target, Team: r.Team, Account: r.Account, Act: r.Act,
		Result: r.Result, Actor: audit.Actor{Credential: r.Credential, Trigger: r.Cause, Requester: r.Requester},
		Body: json.RawMessage(r.Body), MAC: hex.EncodeToString(r.Mac),
	}
}

// A Verified says what of the audit record was found whole.
type Verified struct {
	Entries     int64
	First, Last int64  // entries before First were pruned
	Head        string // what links the last entry to all before it; kept elsewhere, it proves that the record was not set back
}

// Broken says where the audit record is not what was written.
type Broken struct {
	Seq    int64 // of the first entry that is wrong
	Reason string
}

// Error returns the reason with the number of the entry.
func (b *Broken) Error() string { return "audit record: " + b.Reason }

// Verify walks the whole audit record. An entry that was changed, moved, added or taken away by anybody without the key file is a
// *Broken naming the first. It cannot see that the whole database was set back to an older state: compare Head for that.
func (s *Store) Verify(ctx context.Context) (Verified, error) {
	if s.chain == nil {
		return Verified{}, errors.New("verify audit record: this needs the key file")
	}
	t, err := s.reads.BeginTx(ctx, s.engine.snapshot())
	if err != nil {
		return Verified{}, fmt.Errorf("verify audit record: %w", err)
	}
	defer func() { _ = t.Rollback() }() // it has only read
	row, err := db.New(t).GetHead(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return Verified{}, &Broken{Reason: "its head is missing"}
	}
	if err != nil {
		return Verified{}, fmt.Errorf("verify audit record: %w", err)
	}
	h := head{row.Seq, row.Mac, row.BaseSeq, row.BaseMac}
	if !hmac.Equal(row.Seal, s.seal(h)) {
		return Verified{}, &Broken{Seq: h.seq, Reason: "its head was changed, or it was written with another key file"}
	}
	seq, mac := h.baseSeq, h.baseMAC
	err = s.each(ctx, t, "SELECT "+entryColumns+" FROM audit_entries ORDER BY seq", nil, func(e db.AuditEntry) error {
		switch {
		case e.Seq <= h.baseSeq:
			return &Broken{e.Seq, fmt.Sprintf("entry %d was pruned and is there again", e.Seq)}
		case e.Seq > h.seq:
			return &Broken{e.Seq, fmt.Sprintf("entry %d was added behind the end at %d", e.Seq, h.seq)}
		case e.Seq != seq+1:
			return &Broken{seq + 1, fmt.Sprintf("entry %d is missing", seq+1)}
		}
		seq, mac = e.Seq, s.link(mac, e)
		if !hmac.Equal(mac, e.Mac) {
			return &Broken{e.Seq, fmt.Sprintf("entry %d was changed or moved", e.Seq)}
		}
		return nil
	})
	if err != nil {
		if broken, ok := errors.AsType[*Broken](err); ok {
			return Verified{}, broken
		}
		return Verified{}, fmt.Errorf("verify audit record: %w", err)
	}
	if seq != h.seq {
		return Verified{}, &Broken{seq + 1, fmt.Sprintf("it was cut off: it ends at entry %d and should end at %d", seq, h.seq)}
	}
	if !bytes.Equal(mac, h.mac) {
		return Verified{}, &Broken{seq, fmt.Sprintf("its head does not belong to entry %d", seq)}
	}
	return Verified{Entries: h.count(), First: h.baseSeq + 1, Last: h.seq, Head: hex.EncodeToString(h.mac)}, nil
}

// PruneAudit deletes the entries older than a moment, up to the first intent that is still open, and leaves a checkpoint that says what
// went. What stays can still be verified. It returns how many went.
func (s *Store) PruneAudit(ctx context.Context, before time.Time, by string) (pruned int64, err error) {
	err = s.write(ctx, "prune audit record", func(t *tx) error {
		pruned = 0
		if err := t.hold(ctx); err != nil {
			return err
		}
		// Clocks may have been set back: only the beginning up to the first young entry goes.
		first, err := t.LastBefore(ctx, micros(before))
		if err != nil {
			return err
		}
		upTo := t.last.seq
		if first > 0 {
			upTo = first - 1
		}
		open, err := t.FirstOpenIntent(ctx)
		if err != nil {
			return err
		}
		if open > 0 {
			upTo = min(upTo, open-1)
		}
		if upTo <= t.last.baseSeq {
			return nil
		}
		last, err := t.GetEntry(ctx, upTo)
		if err != nil {
			return fmt.Errorf("read entry %d: %w", upTo, err)
		}
		was := t.last.baseSeq
		t.last.baseSeq, t.last.baseMAC = upTo, last.Mac
		if _, err := t.record(ctx, note{kind: KindCheckpoint, actor: audit.Actor{Trigger: "person", Requester: by}, body: checkpoint{
			From: was + 1, To: upTo, MAC: hex.EncodeToString(last.Mac), Before: before.UTC(),
		}}); err != nil {
			return err
		}
		if pruned, err = t.PruneEntries(ctx, upTo); err != nil {
			return err
		}
		return t.DeleteIntents(ctx, upTo)
	})
	return pruned, err
}

// A checkpoint is the body of the entry that pruning leaves.
type checkpoint struct {
	From   int64     `json:"from"`
	To     int64     `json:"to"`
	MAC    string    `json:"mac"` // of the last that went
	Before time.Time `json:"before"`
}
