package githubsim

import (
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Stand-ins for the pages of GitHub's web site on which somebody makes an App from a manifest and installs it. Whoever opens them is taken for
// an owner of the organization: there is no sign-in. What is asked of a manifest is what GitHub's documentation says of it ("Registering a
// GitHub App from a manifest"); how the pages look is our own.

// pages are the pages. Their addresses are GitHub's.
func (s *Server) pages() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /organizations/{org}/settings/apps/new", s.newApp)
	mux.HandleFunc("POST /organizations/{org}/settings/apps/manifest", s.makeApp)
	mux.HandleFunc("GET /apps/{app}/installations/new", s.installPage)
	mux.HandleFunc("POST /apps/{app}/installations", s.installApp)
	return mux
}

// A manifested App waits for its conversion.
type manifested struct {
	app App
	at  time.Time
}

// A manifest is what an App shall be.
type manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	RedirectURL string            `json:"redirect_url"`
	SetupURL    string            `json:"setup_url"`
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

var sitePage = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title></head>
<body><main><h1>{{.Title}}</h1>
<p>A simulated GitHub: nothing of this leaves the machine.</p>
{{range .Says}}<p>{{.}}</p>{{end}}
{{if .Action}}<form method="post" action="{{.Action}}">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
{{if .Name}}<p><label>GitHub App name <input name="name" value="{{.Name}}" maxlength="34"></label></p>{{end}}
<p><button>{{.Act}}</button></p></form>{{end}}
</main></body></html>
`))

type site struct {
	Title, Action, Act, Name string
	Says                     []string
	Hidden                   map[string]string
}

func (p site) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = sitePage.Execute(w, p) // whoever asked has gone
}

func notOnSite(w http.ResponseWriter) {
	site{Title: "Page not found", Says: []string{"This is not the web page you are looking for."}}.write(w, http.StatusNotFound)
}

// readManifest reads the manifest of a form. Says is what is wrong with it.
func readManifest(text string) (m manifest, says []string) {
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, []string{"The manifest is no JSON."}
	}
	for what, address := range map[string]string{"url": m.URL, "redirect_url": m.RedirectURL} {
		if u, err := url.Parse(address); err != nil || u.Host == "" {
			says = append(says, "The manifest's "+what+" must be a whole address.")
		}
	}
	if len(m.Name) > 34 {
		says = append(says, "Name is too long (maximum is 34 characters).")
	}
	return m, says
}

// newApp is where a manifest is sent. Nothing is made before somebody presses the button.
func (s *Server) newApp(w http.ResponseWriter, r *http.Request) {
	org, text := s.orgOf(r), r.PostFormValue("manifest")
	if org == nil {
		notOnSite(w)
		return
	}
	m, says := readManifest(text)
	if len(says) > 0 {
		site{Title: "Invalid GitHub App configuration", Says: says}.write(w, http.StatusUnprocessableEntity)
		return
	}
	for name, level := range m.Permissions {
		says = append(says, fmt.Sprintf("Permission: %s, %s", name, level))
	}
	site{
		Title: "Create GitHub App", Action: "/organizations/" + url.PathEscape(org.Login()) + "/settings/apps/manifest", Act: "Create GitHub App for " + org.Login(),
		Name: m.Name, Says: says, Hidden: map[string]string{"manifest": text, "state": r.URL.Query().Get("state")},
	}.write(w, http.StatusOK)
}

// makeApp makes the App and leads back with a code for its conversion.
func (s *Server) makeApp(w http.ResponseWriter, r *http.Request) {
	org := s.orgOf(r)
	if org == nil {
		notOnSite(w)
		return
	}
	m, says := readManifest(r.PostFormValue("manifest"))
	name := strings.TrimSpace(r.PostFormValue("name"))
	app := App{
		Name: name, Slug: slugOf(name), Owner: org.Login(), Permissions: maps.Clone(m.Permissions), URL: m.URL, SetupURL: m.SetupURL,
	}
	if app.Permissions == nil {
		app.Permissions = map[string]string{}
	}
	app.Permissions["metadata"] = "read" // every App has it
	s.mu.Lock()
	for _, other := range s.apps {
		if other.Slug == app.Slug {
			says = append(says, "Name has already been taken.")
		}
	}
	code := randomText(20)
	if app.Slug == "" {
		says = append(says, "Name can't be blank.")
	}
	if len(says) == 0 {
		s.lastApp++
		app.ID = s.lastApp
		s.manifests[code] = manifested{app, s.now()}
	}
	s.mu.Unlock()
	if len(says) > 0 {
		site{Title: "Create GitHub App", Says: says}.write(w, http.StatusUnprocessableEntity)
		return
	}
	to, _ := url.Parse(m.RedirectURL) // readManifest has
	q := to.Query()
	q.Set("code", code)
	q.Set("state", r.PostFormValue("state"))
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

var noSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slugOf is the name of an App in addresses.
func slugOf(name string) string { return strings.Trim(noSlug.ReplaceAllString(fold(name), "-"), "-") }

// installPage asks for a click. An App that is not public is installed by its owner alone.
func (s *Server) installPage(w http.ResponseWriter, r *http.Request) {
	app := s.appOf(r)
	if app == nil {
		notOnSite(w)
		return
	}
	site{
		Title: "Install " + app.Name, Action: "/apps/" + app.Slug + "/installations", Act: "Install", Says: []string{"On the organization " + app.Owner + "."},
	}.write(w, http.StatusOK)
}

// installApp installs the App on its owner, and leads to where its manifest says.
func (s *Server) installApp(w http.ResponseWriter, r *http.Request) {
	app := s.appOf(r)
	if app == nil {
		notOnSite(w)
		return
	}
	id := s.Install(Installation{App: app.ID, Organization: app.Owner})
	to, err := url.Parse(app.SetupURL)
	if err != nil || to.Host == "" {
		site{Title: "Installed", Says: []string{"The App is installed on " + app.Owner + "."}}.write(w, http.StatusOK)
		return
	}
	q := to.Query()
	q.Set("installation_id", strconv.FormatInt(id, 10))
	q.Set("setup_action", "install")
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

// orgOf is the organization of the path.
func (s *Server) orgOf(r *http.Request) *Organization {
	s.world.mu.RLock()
	defer s.world.mu.RUnlock()
	return s.world.orgNamed(r.PathValue("org"))
}

// appOf is a copy of the App of the path.
func (s *Server) appOf(r *http.Request) *App {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.Slug == r.PathValue("app") {
			found := *a
			return &found
		}
	}
	return nil
}
