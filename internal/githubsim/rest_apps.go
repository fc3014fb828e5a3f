package githubsim

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// mustBeApp wants an App's own JSON web token, which alone opens these routes.
func (c *call) mustBeApp() error {
	if c.cred.app == nil {
		return problemf(http.StatusUnauthorized, "This call needs an App's JSON web token.")
	}
	return nil
}

func getApp(c *call) (reply, error) {
	if err := c.mustBeApp(); err != nil {
		return reply{}, err
	}
	a := c.cred.app
	return ok(append(c.showApp(a), entry{"installations_count", len(c.installationsOf(a))}))
}

func (c *call) showApp(a *App) object {
	return object{
		{"id", a.ID}, {"client_id", a.ClientID()}, {"slug", a.Slug}, {"node_id", nodeID(nodeApp, a.ID)}, {"owner", c.showAppOwner(a)},
		{"name", cmp.Or(a.Name, a.Slug)}, {"description", ""}, {"external_url", cmp.Or(a.URL, c.web("/apps/%s", a.Slug))},
		{"html_url", c.web("/apps/%s", a.Slug)}, {"created_at", "2020-01-01T00:00:00Z"}, {"updated_at", "2020-01-01T00:00:00Z"},
		{"permissions", permissionsOrEmpty(a.Permissions)}, {"events", []any{}},
	}
}

// convertManifest hands out, once and within an hour, what belongs to an App that was made from a manifest: its key above all.
func convertManifest(c *call) (reply, error) {
	c.srv.mu.Lock()
	code := c.r.PathValue("code")
	made, known := c.srv.manifests[code]
	delete(c.srv.manifests, code)
	c.srv.mu.Unlock()
	if !known || c.now.Sub(made.at) > time.Hour {
		return reply{}, notFound()
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("githubsim: " + err.Error())
	}
	app := made.app
	app.Key = &key.PublicKey
	c.srv.AddApp(app)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return created(append(c.showApp(&app), entry{"client_secret", randomText(20)}, entry{"webhook_secret", nil}, entry{"pem", string(text)}))
}

func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

func (c *call) showAppOwner(a *App) object {
	if u := c.w.userNamed(a.Owner); u != nil {
		return c.showUser(u)
	}
	if o := c.w.orgNamed(a.Owner); o != nil {
		return c.showAccountHead(o.login, o.id, nodeID(nodeOrganization, o.id), "Organization")
	}
	return c.showAccountHead("ghost", 10137, nodeID(nodeUser, 10137), "User")
}

func (c *call) installationsOf(a *App) []*Installation {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	var all []*Installation
	for i := range maps.Values(c.srv.installations) {
		if i.App == a.ID {
			cp := *i
			all = append(all, &cp)
		}
	}
	slices.SortFunc(all, func(a, b *Installation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func getOrganizationInstallation(c *call) (reply, error) {
	if err := c.mustBeApp(); err != nil {
		return reply{}, err
	}
	for _, i := range c.installationsOf(c.cred.app) {
		if i.org == c.org {
			return ok(c.showInstallation(i))
		}
	}
	return reply{}, notFound()
}

func listInstallations(c *call) (reply, error) {
	if err := c.mustBeApp(); err != nil {
		return reply{}, err
	}
	return page(c, c.installationsOf(c.cred.app), c.showInstallation)
}

func (c *call) installation() (*Installation, error) {
	if err := c.mustBeApp(); err != nil {
		return nil, err
	}
	for _, i := range c.installationsOf(c.cred.app) {
		if i.ID == number(c.r.PathValue("installation_id")) {
			return i, nil
		}
	}
	return nil, notFound()
}

func getInstallation(c *call) (reply, error) {
	i, err := c.installation()
	if err != nil {
		return reply{}, err
	}
	return ok(c.showInstallation(i))
}

// createInstallationToken makes a token that lives an hour, with the installation's permissions or fewer.
func createInstallationToken(c *call) (reply, error) {
	i, err := c.installation()
	if err != nil {
		return reply{}, err
	}
	if i.Suspended {
		return reply{}, problemf(http.StatusForbidden, "This installation has been suspended.")
	}
	var in struct {
		Permissions map[string]string `json:"permissions"`
	}
	if err := c.read(&in); err != nil {
		return reply{}, err
	}
	permissions := maps.Clone(i.Permissions)
	if len(in.Permissions) > 0 {
		for name, level := range in.Permissions {
			if !granted(i.Permissions, need{permission: name, level: level}) {
				return reply{}, invalid("Installation", "permissions", "invalid", "The installation does not have %s:%s.", name, level)
			}
		}
		permissions = in.Permissions
	}
	var b [18]byte
	_, _ = rand.Read(b[:])
	t := &Token{Value: "ghs_" + hex.EncodeToString(b[:]), Name: fmt.Sprintf("installation %d", i.ID), Kind: InstallationToken,
		Permissions: permissions, Expires: c.now.Add(time.Hour), installation: i.ID}
	c.srv.mu.Lock()
	c.srv.tokens[t.Value] = t
	c.srv.mu.Unlock()
	return created(object{
		{"token", t.Value}, {"expires_at", stamp(t.Expires.UTC())}, {"permissions", permissionsOrEmpty(permissions)},
		{"repository_selection", i.selection()},
	})
}

func (i *Installation) selection() string {
	if i.Selected {
		return "selected"
	}
	return "all"
}

func permissionsOrEmpty(p map[string]string) map[string]string {
	if p == nil {
		return map[string]string{}
	}
	return p
}

func (c *call) showInstallation(i *Installation) object {
	app := c.cred.app
	o := object{
		{"id", i.ID}, {"account", c.showAccountHead(i.org.login, i.org.id, nodeID(nodeOrganization, i.org.id), "Organization")},
		{"repository_selection", i.selection()}, {"access_tokens_url", c.api("/app/installations/%d/access_tokens", i.ID)},
		{"repositories_url", c.api("/installation/repositories")}, {"html_url", c.web("/organizations/%s/settings/installations/%d", i.org.login, i.ID)},
		{"app_id", app.ID}, {"app_slug", app.Slug}, {"client_id", app.ClientID()}, {"target_id", i.org.id}, {"target_type", "Organization"},
		{"permissions", permissionsOrEmpty(i.Permissions)}, {"events", []any{}}, {"created_at", stamp(i.created.UTC())}, {"updated_at", stamp(i.created.UTC())},
		{"single_file_name", nil},
	}
	if !i.Suspended {
		return append(o, entry{"suspended_by", nil}, entry{"suspended_at", nil})
	}
	var by any
	if owners := i.org.owners(); len(owners) > 0 {
		by = c.showUser(owners[0])
	}
	return append(o, entry{"suspended_by", by}, entry{"suspended_at", stamp(i.since.UTC())})
}
