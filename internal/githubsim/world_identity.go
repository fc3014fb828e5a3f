package githubsim

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// saml is single sign-on of an organization or an enterprise, with the identities it knows.
type saml struct {
	id         int64
	issuer     string
	ssoURL     string
	org        *Organization
	enterprise *Enterprise
	identities ordered[*identity]
}

// An Identity is what the identity provider asserted about a person: by SAML at sign-on, by SCIM when provisioning.
// Leave NameID empty for an identity that only SCIM has made.
type Identity struct {
	NameID     string // SAML NameID
	Username   string // SAML user name; NameID when empty
	Emails     []string
	Groups     []string
	Attributes map[string][]string // raw SAML claims
	SCIM       *SCIM
}

// SCIM is the SCIM half of an Identity.
type SCIM struct {
	Username              string
	GivenName, FamilyName string
	Emails, Groups        []string
}

type identity struct {
	Identity
	saml *saml
	id   int64
	guid string
	user *User // nil: unclaimed
}

// EnableSAML switches single sign-on of the organization on. Its identities are then read at samlIdentityProvider.
func (o *Organization) EnableSAML(issuer, ssoURL string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.saml = &saml{id: o.id, issuer: issuer, ssoURL: ssoURL, org: o}
}

// EnableSAML switches single sign-on of the enterprise on. It takes the place of the organizations': their
// samlIdentityProvider reads null, and identities are found at ownerInfo.samlIdentityProvider.
func (e *Enterprise) EnableSAML(issuer, ssoURL string) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.saml = &saml{id: e.id, issuer: issuer, ssoURL: ssoURL, enterprise: e}
	for _, o := range e.orgs {
		o.saml = nil
	}
}

// SetIdentity links an account to what the identity provider says about it; the link takes the place of an earlier one.
// An empty login leaves the identity unclaimed. The organization's own SAML is used, or else its enterprise's.
func (o *Organization) SetIdentity(login string, id Identity) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.provider().set(o.w, login, id)
}

// RevokeIdentity ends the link of an account with its identity, as an owner does under "SSO identity linked".
func (o *Organization) RevokeIdentity(login string) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	u, s := o.w.mustUser(login), o.provider()
	for _, i := range s.identities.byID {
		if i.user == u {
			s.identities.delete(i.id)
			delete(o.w.identities, i.id)
		}
	}
}

// SetIdentity is Organization.SetIdentity for the enterprise.
func (e *Enterprise) SetIdentity(login string, id Identity) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	if e.saml == nil {
		panic("githubsim: enterprise " + e.slug + " has no SAML")
	}
	e.saml.set(e.w, login, id)
}

func (o *Organization) provider() *saml {
	switch {
	case o.saml != nil:
		return o.saml
	case o.enterprise != nil && o.enterprise.saml != nil:
		return o.enterprise.saml
	}
	panic("githubsim: organization " + o.login + " has no SAML")
}

func (s *saml) set(w *World, login string, said Identity) {
	var u *User
	if login != "" {
		u = w.mustUser(login)
		for _, i := range s.identities.byID {
			if i.user == u {
				i.Identity = said
				return
			}
		}
	}
	w.lastIdentity++
	sum := sha256.Sum256(fmt.Append(nil, "identity ", w.lastIdentity))
	i := &identity{Identity: said, saml: s, id: w.lastIdentity, user: u,
		guid: fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])}
	s.identities.set(i.id, i)
	w.identities[i.id] = i
}

// find returns identities in the order of ids, narrowed as the GraphQL arguments say; empty arguments do not narrow.
// members, when not nil, leaves out who is not (or not any more) a member.
func (s *saml) find(login, userName string, members func(*User) bool) []*identity {
	var found []*identity
	for _, id := range s.identities.keys() {
		i := s.identities.byID[id]
		switch {
		case login != "" && (i.user == nil || fold(i.user.login) != fold(login)):
		case userName != "" && !slices.ContainsFunc(i.userNames(), func(n string) bool { return fold(n) == fold(userName) }):
		case members != nil && (i.user == nil || !members(i.user)):
		default:
			found = append(found, i)
		}
	}
	return found
}

func (i *identity) userNames() []string {
	names := []string{i.NameID, i.Username}
	if i.SCIM != nil {
		names = append(names, i.SCIM.Username)
	}
	return names
}
