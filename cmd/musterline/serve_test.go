package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"musterline.example/internal/githubsim"
)

// A servedHouse is a server that runs, on a simulated GitHub.
type servedHouse struct {
	t    *testing.T
	dir  string
	gh   *githubsim.Server
	org  *githubsim.Organization
	hub  *httptest.Server
	log  *lockedBuffer
	stop context.CancelFunc
	code chan int
	at   string // address
	http *http.Client

	slow    atomic.Bool // GitHub takes its time over writes
	writing atomic.Int64
	silent  atomic.Bool // GitHub answers no reads
	asked   atomic.Int64
}

// A lockedBuffer is written by a server and read by a test.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const ownersToken = "ghp_owner"

// layOut makes a company of three people and a team, with a configuration that ends with more.
func layOut(t *testing.T, server string) *servedHouse {
	t.Helper()
	s := &servedHouse{t: t, dir: t.TempDir(), http: &http.Client{Timeout: 10 * time.Second}}
	world := githubsim.NewWorld()
	s.org = world.AddOrganization("octo-org", "olga")
	for _, login := range []string{"ada", "bob"} {
		s.org.AddMember(login)
	}
	s.org.AddTeam("platform")
	s.gh = githubsim.New(githubsim.Options{World: world})
	s.gh.PutToken(githubsim.Token{Value: ownersToken, User: "olga", Scopes: []string{"admin:org"}})
	s.hub = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && s.slow.Load() {
			s.writing.Add(1)
			time.Sleep(700 * time.Millisecond)
		}
		if r.Method != http.MethodPut && s.silent.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // until then nobody notices that the caller goes
			s.asked.Add(1)
			<-r.Context().Done()
			return
		}
		s.gh.ServeHTTP(w, r)
	}))
	t.Cleanup(s.hub.Close)
	s.write("directory.yaml", `
users:
  - { id: ada, name: Ada, accounts: { github: ada } }
  - { id: bob, name: Bob, accounts: { github: bob } }
groups:
  - { id: sre, name: SRE, description: on call, members: [ada, bob] }
`)
	s.write("musterline.yaml", fmt.Sprintf(`
server: { listen: "127.0.0.1:0", %s }
sources: { people: { kind: file, path: directory.yaml } }
targets: { octo: { kind: github, organization: octo-org, api_url: %q, token: %s, pace: 0s } }
`, server, s.hub.URL, ownersToken))
	return s
}

func (s *servedHouse) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *servedHouse) cli(out io.Writer) *cli {
	return &cli{stdin: strings.NewReader(""), stdout: out, stderr: out, env: func(string) (string, bool) { return "", false }, now: time.Now}
}

// run carries out a command beside the server.
func (s *servedHouse) run(args ...string) (string, int) {
	out := &lockedBuffer{}
	code := s.cli(out).run(s.t.Context(), append(args, "--config", filepath.Join(s.dir, "musterline.yaml")))
	return out.String(), code
}

// start starts the server and waits until it listens.
func (s *servedHouse) start(args ...string) {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s.log, s.at, s.stop, s.code = &lockedBuffer{}, "", stop, make(chan int, 1)
	go func() {
		s.code <- s.cli(s.log).run(ctx, append([]string{"serve", "--config", filepath.Join(s.dir, "musterline.yaml")}, args...))
	}()
	s.t.Cleanup(stop)
	s.until("the server listens", func() bool {
		for line := range strings.Lines(s.log.String()) {
			var said struct{ Msg, At string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "serving" {
				s.at = said.At
			}
		}
		return s.at != ""
	})
}

// until waits for something to come about.
func (s *servedHouse) until(what string, done func() bool) {
	s.t.Helper()
	for range 3000 {
		if done() {
			return
		}
		select {
		case code := <-s.code:
			s.t.Fatalf("the server ended with %d before %s:\n%s", code, what, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.t.Fatalf("waited in vain until %s:\n%s", what, s.log)
}

// ended waits for the server to end after it was told to.
func (s *servedHouse) ended() int {
	s.t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		return code
	case <-time.After(time.Minute):
		s.t.Fatalf("the server does not end:\n%s", s.log)
		return 0
	}
}

func (s *servedHouse) ask(method, path, token, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.at+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

const mappings = "/api/v3/orgs/octo-org/teams/platform/team-sync/group-mappings"

func TestAServerSyncsWhatItsAPIMaps(t *testing.T) {
	s := layOut(t, "metrics_token: figures")
	s.start()
	s.until("it is ready", func() bool { status, _ := s.ask("GET", "/readyz", "", ""); return status == http.StatusOK })
	s.until("the source has been read", func() bool {
		_, text := s.ask("GET", "/api/v3/orgs/octo-org/team-sync/groups", ownersToken, "")
		return strings.Contains(text, `"people:sre"`)
	})
	status, text := s.ask("PATCH", mappings, ownersToken, `{"groups":[{"group_id":"people:sre","group_name":"SRE","group_description":"on call"}]}`)
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	s.until("the team holds who is in the group", func() bool { return len(s.org.Team("platform").Members()) == 2 })

	if status, _ := s.ask("GET", "/metrics", "", ""); status != http.StatusUnauthorized {
		t.Errorf("the figures were shown without their token: %d", status)
	}
	s.until("the figures tell of it", func() bool {
		_, text := s.ask("GET", "/metrics", "figures", "")
		return strings.Contains(text, `musterline_runs_total{state="done",target="octo"}`) && strings.Contains(text, `musterline_source_age_seconds{source="people"}`)
	})
	out, code := s.run("sync")
	if code != exitFailed || !strings.Contains(out, "in use by musterline serve") {
		t.Errorf("a command writes beside the server: %d\n%s", code, out)
	}
	if out, code := s.run("why", "ada", "platform"); code != exitDone || !strings.Contains(out, "people/SRE") {
		t.Errorf("%d: %s", code, out)
	}
	if strings.Contains(s.log.String(), ownersToken) {
		t.Error("a token is in the log")
	}
	if code := s.ended(); code != exitDone {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
	if out, code := s.run("audit", "verify"); code != exitDone {
		t.Errorf("%d: %s", code, out)
	}
}

func TestAServerFinishesTheWriteInHand(t *testing.T) {
	s := layOut(t, "")
	s.mapped()
	s.slow.Store(true)
	s.start()
	s.until("the first write is under way", func() bool { return s.writing.Load() > 0 })
	if code := s.ended(); code != exitDone {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
	if n := len(s.org.Team("platform").Members()); n != 1 {
		t.Errorf("the team holds %d, so the write in hand was cut off or others were begun", n)
	}
	s.slow.Store(false)
	if out, code := s.run("sync", "--detailed-exitcode"); code != exitDone {
		t.Errorf("the next sync: %d\n%s", code, out)
	}
	if n := len(s.org.Team("platform").Members()); n != 2 {
		t.Errorf("the team holds %d", n)
	}
	if out, code := s.run("audit", "verify"); code != exitDone {
		t.Errorf("%d: %s", code, out)
	}
}

// mapped maps the team in the configuration file.
func (s *servedHouse) mapped() {
	s.t.Helper()
	s.write("musterline.yaml", s.read("musterline.yaml")+"mappings: [{ team: octo/platform, groups: [people/sre] }]\n")
}

// A heard is an answer that came while the server stopped.
type heard struct {
	status int
	text   string
}

// listen asks, and tells when the answer has begun and what it was in the end.
func (s *servedHouse) listen(method, path, token, body string) (begun <-chan struct{}, end <-chan heard) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.at+"/api/musterline"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	started, ended := make(chan struct{}), make(chan heard, 1)
	go func() {
		resp, err := new(http.Client).Do(req)
		close(started)
		if err != nil {
			ended <- heard{text: err.Error()}
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			text = append(text, err.Error()...)
		}
		ended <- heard{resp.StatusCode, string(text)}
	}()
	return started, ended
}

func TestAServerStopsThoughPeopleFollowAnActWritesAndGitHubIsSilent(t *testing.T) {
	s := layOut(t, "")
	s.mapped()
	token := s.administrator()
	s.write("musterline.yaml", strings.Replace(s.read("musterline.yaml"), "targets: { octo: {", "targets: { octo: { apply: approve,", 1))
	s.start()
	answered, text := s.ask("POST", "/api/musterline/targets/octo/plan", token, "")
	var plan struct{ Digest string }
	if err := json.Unmarshal([]byte(text), &plan); err != nil || answered != http.StatusOK {
		t.Fatalf("%d: %s", answered, text)
	}
	s.slow.Store(true)
	_, acted := s.listen("POST", "/targets/octo/sync", token, fmt.Sprintf(`{"digest":%q,"answered":true}`, plan.Digest))
	act := s.events(<-acted)
	s.until("the act writes", func() bool { return s.writing.Load() > 0 })
	following, followed := s.listen("GET", act, token, "")
	_, asked := s.listen("POST", "/targets/octo/sync", token, `{}`)
	waiting, waited := s.listen("GET", s.events(<-asked), token, "")
	<-following
	<-waiting
	s.silent.Store(true)
	_, planned := s.listen("POST", "/targets/octo/plan", token, "")
	s.until("GitHub is asked and silent", func() bool { return s.asked.Load() > 0 })

	began := time.Now()
	if code := s.ended(); code != exitDone {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
	t.Logf("it stopped in %s", time.Since(began).Round(time.Millisecond))
	if h := <-followed; h.status != http.StatusOK || !strings.Contains(h.text, "event: error") || !strings.Contains(h.text, "interrupted") {
		t.Errorf("who follows the act hears %d %s", h.status, h.text)
	}
	if h := <-waited; h.status != http.StatusOK || strings.Contains(h.text, "event:") {
		t.Errorf("who follows what is left for later hears %d %s", h.status, h.text)
	}
	if h := <-planned; h.status != http.StatusServiceUnavailable || !strings.Contains(h.text, "the server stops") {
		t.Errorf("who waits for a plan is told %d %s", h.status, h.text)
	}
	if n := len(s.org.Team("platform").Members()); n != 1 {
		t.Errorf("the team holds %d, so the write in hand was cut off or others were begun", n)
	}
	if out, code := s.run("audit", "verify"); code != exitDone {
		t.Errorf("%d: %s", code, out)
	}
}

// events is where to follow what was accepted.
func (s *servedHouse) events(h heard) string {
	s.t.Helper()
	var accepted struct{ Events string }
	if err := json.Unmarshal([]byte(h.text), &accepted); err != nil || h.status != http.StatusAccepted {
		s.t.Fatalf("%d: %s", h.status, h.text)
	}
	return strings.TrimPrefix(accepted.Events, "/api/musterline")
}

func (s *servedHouse) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func TestAServerStopsThoughItsSyncReadsASilentGitHub(t *testing.T) {
	s := layOut(t, "")
	s.mapped()
	s.silent.Store(true)
	s.start()
	s.until("GitHub is asked and silent", func() bool { return s.asked.Load() > 0 })
	began := time.Now()
	if code := s.ended(); code != exitDone {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
	t.Logf("it stopped in %s", time.Since(began).Round(time.Millisecond))
}

func TestACertificateIsReadAgainWhenItIsRenewed(t *testing.T) {
	s := layOut(t, "tls_cert_file: server.pem, tls_key_file: server.key")
	first := s.certify("first.example")
	s.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	s.start()
	if got := s.certificate(); got != first {
		t.Errorf("the certificate is that of %s", got)
	}
	s.write("server.pem", "half of a renewal")
	if got := s.certificate(); got != first {
		t.Errorf("with a broken file the certificate is that of %s", got)
	}
	second := s.certify("second.example")
	if got := s.certificate(); got != second {
		t.Errorf("after the renewal the certificate is that of %s", got)
	}
	s.ended()
	s.write("server.key", "no key")
	if out, code := s.run("serve"); code != exitFailed || !strings.Contains(out, "server.tls_key_file") {
		t.Errorf("%d: %s", code, out)
	}
}

// certify writes a certificate for a name.
func (s *servedHouse) certify(name string) string {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	later := time.Now().Add(time.Duration(len(name)) * time.Second) // file systems differ in how finely they tell time
	for file, block := range map[string]*pem.Block{"server.pem": {Type: "CERTIFICATE", Bytes: signed}, "server.key": {Type: "PRIVATE KEY", Bytes: private}} {
		s.write(file, string(pem.EncodeToMemory(block)))
		if err := os.Chtimes(filepath.Join(s.dir, file), later, later); err != nil {
			s.t.Fatal(err)
		}
	}
	return name
}

// certificate is the name in the certificate that the server shows.
func (s *servedHouse) certificate() string {
	s.t.Helper()
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(s.t.Context(), "tcp", strings.TrimPrefix(s.at, "https://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	secure, ok := conn.(*tls.Conn)
	if !ok {
		s.t.Fatal("no TLS")
	}
	return secure.ConnectionState().PeerCertificates[0].DNSNames[0]
}

// Whoever reads a log, or has a program read it, need not guess a unit.
func TestLogsSayInWhichUnitTheyTellTime(t *testing.T) {
	out := &lockedBuffer{}
	(&cli{stdout: out, stderr: out, env: func(string) (string, bool) { return "", false }, now: time.Now}).serverLog().
		Info("done", "took", 1500*time.Microsecond, slog.Group("of", "waited", time.Minute))
	var said struct {
		Took float64 `json:"took_ms"`
		Of   struct {
			Waited float64 `json:"waited_ms"`
		}
	}
	if err := json.Unmarshal([]byte(out.String()), &said); err != nil || said.Took != 1.5 || said.Of.Waited != 60_000 {
		t.Errorf("%s: %v", out, err)
	}
}

func TestAPortThatIsTakenIsSaid(t *testing.T) {
	s := layOut(t, "")
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	out, code := s.run("serve", "--listen", taken.Addr().String())
	if code != exitFailed || !strings.Contains(out, "name a free one") {
		t.Errorf("%d: %s", code, out)
	}
}

// administrator makes a token that may do everything.
func (s *servedHouse) administrator() string {
	s.t.Helper()
	out, code := s.run("token", "create", "--name", "test", "--role", "administrator", "--json")
	var made struct{ Text string }
	_, rest, _ := strings.Cut(out, "{") // after what is said of the key file
	if err := json.Unmarshal([]byte("{"+rest), &made); code != exitDone || err != nil || made.Text == "" {
		s.t.Fatalf("%d: %s", code, out)
	}
	return made.Text
}

// configure makes a row of the configuration over the API.
func (s *servedHouse) configure(path, token, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, s.at+"/api/musterline"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("If-Match", "*")
	resp, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%d: %s %v", resp.StatusCode, text, err)
	}
}

func TestTheAddressOfTheCommandLineWinsOverAllThatIsConfigured(t *testing.T) {
	s := layOut(t, "")
	token := s.administrator()
	s.start()
	s.configure("/sources/more", token, `{"kind":"file","path":"directory.yaml"}`)
	s.ended()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	s.start("--listen", address)
	if s.at != "http://"+address {
		t.Errorf("it listens on %s, not on %s", s.at, address)
	}
	s.ended()
}
