package githubapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"musterline.example/internal/httpx"
)

// Web returns the address of the GitHub's web site, without a slash at its end.
func (e Endpoint) Web() string { return e.REST.Scheme + "://" + e.Host }

// NewApp returns where a form with an App's manifest is sent, for an App of an organization (GitHub: "Registering a GitHub App from a manifest").
func (e Endpoint) NewApp(organization, state string) string {
	return e.Web() + "/organizations/" + url.PathEscape(organization) + "/settings/apps/new?state=" + url.QueryEscape(state)
}

// A Manifest says what an App shall be, as GitHub takes it.
type Manifest struct {
	Name        string            `json:"name"` // GitHub takes 34 characters
	URL         string            `json:"url"`  // of the App's home page
	RedirectURL string            `json:"redirect_url"`
	SetupURL    string            `json:"setup_url,omitempty"` // where GitHub leads who has installed it
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
}

// A MadeApp is an App that GitHub has made from a manifest. Its key is given out once.
type MadeApp struct {
	ID      int64
	Slug    string
	Name    string
	Install string // the page on which it is installed
	Key     string // PEM; a secret
}

// ErrCodeUsed is in the chain of the error about a code that GitHub does not know: it was used, or an hour has passed.
var ErrCodeUsed = errors.New("GitHub does not know the code: it is good once, and for an hour")

// maxApp is how long the description of an App may be.
const maxApp = 1 << 20

// Convert exchanges the code with which GitHub leads back from a manifest for the App that was made (POST /app-manifests/{code}/conversions).
// The code is good once: a call without an answer is not tried again. No error holds what was answered, which has secrets in it.
func Convert(ctx context.Context, at Endpoint, code string, over http.RoundTripper) (MadeApp, error) {
	address := at.REST.JoinPath("app-manifests", url.PathEscape(code), "conversions")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), http.NoBody)
	if err != nil {
		return MadeApp{}, errors.New("the code cannot be sent")
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("User-Agent", UserAgent)
	client := &http.Client{Transport: over, CheckRedirect: httpx.SameHost(at.REST)}
	resp, err := client.Do(req)
	if err != nil {
		if ctxErr := contextError(err); ctxErr != nil {
			return MadeApp{}, ctxErr
		}
		e := Problem(Unreachable)
		e.Err = errors.New("the code could not be exchanged") // the error of net/http has the code in its address
		return MadeApp{}, e
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxApp))
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return MadeApp{}, ErrCodeUsed
	case err != nil || resp.StatusCode != http.StatusCreated:
		return MadeApp{}, fmt.Errorf("GitHub did not hand out the App: it answered %d", resp.StatusCode)
	}
	var made struct {
		ID      int64  `json:"id"`
		Slug    string `json:"slug"`
		Name    string `json:"name"`
		HTMLURL string `json:"html_url"`
		PEM     string `json:"pem"`
	}
	if json.NewDecoder(bytes.NewReader(text)).Decode(&made) != nil || made.ID == 0 || made.PEM == "" {
		return MadeApp{}, errors.New("GitHub did not hand out the App in full")
	}
	if _, err := ParseKey([]byte(made.PEM)); err != nil {
		return MadeApp{}, errors.New("GitHub handed out a key that is none")
	}
	install := made.HTMLURL
	if !at.owns(install) {
		install = at.Web() + "/apps/" + url.PathEscape(made.Slug)
	}
	return MadeApp{ID: made.ID, Slug: made.Slug, Name: made.Name, Install: install + "/installations/new", Key: made.PEM}, nil
}

// AppID is the App's id as a configuration has it.
func (a MadeApp) AppID() string { return strconv.FormatInt(a.ID, 10) }
