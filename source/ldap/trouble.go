package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/source"
)

// States of errors that each server has its own advice for.
const (
	stateSizeLimit  = "size-limit"
	stateAdminLimit = "admin-limit"
	stateTimeLimit  = "time-limit"
	statePermission = "permission"
)

// trouble turns what went wrong into an error with a state and a next step. The server's own words are kept, as they name the limit or the
// right that is meant.
//
//	code of RFC 4511 §4.1.9          state
//	3 timeLimitExceeded              time-limit
//	4 sizeLimitExceeded              size-limit, with or without a part of the entries
//	11 adminLimitExceeded            admin-limit: page too large; lookthrough limit of 389-ds
//	8, 13                            encryption
//	10 referral                      referral
//	12 unavailableCriticalExtension  paging-unsupported
//	32 noSuchObject                  base-missing
//	48, 49, 53 while binding         credentials-…
//	50 insufficientAccessRights      permission
//	51 busy, 52 unavailable          busy, worth another try
//	none: the line                   unreachable, connection-lost, timeout, worth another try
func (c *connection) trouble(ctx context.Context, doing string, err error) error {
	s := c.server
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %s: %w", s.url, doing, context.Cause(ctx))
	}
	if _, told := errors.AsType[*source.Error](err); told {
		return err
	}
	e := &source.Error{State: "server-error", Message: s.url + ": " + doing + ": " + s.words(err), Err: errors.New(s.words(err))}
	if c.late.Load() {
		e.State, e.Retry = "timeout", true
		e.Message = fmt.Sprintf("%s: %s: no answer within %s", s.url, doing, s.timeout)
		e.Fix = "raise timeout, lower page_size, or see why the server is slow; an index on the attributes of the filters helps"
		return e
	}
	if c.distrusted(e, err) {
		return e
	}
	answer, ok := errors.AsType[*ldap.Error](err)
	if !ok || answer.ResultCode >= ldap.ErrorNetwork {
		e.State, e.Retry, e.Fix = "connection-lost", true, "see whether the server, or a proxy or firewall before it, ends connections"
		switch {
		case doing == beginTLS:
			e.State, e.Fix = "encryption", "see whether that port speaks TLS: an ldap:// port does after start_tls only, and the port of ldaps from the beginning"
		case c.raw == nil:
			e.State, e.Fix = "unreachable", "see whether the URL is right, the server runs, and a firewall lets it be reached"
		}
		return e
	}
	switch answer.ResultCode {
	case ldap.LDAPResultTimeLimitExceeded:
		e.State = stateTimeLimit
	case ldap.LDAPResultSizeLimitExceeded:
		e.State = stateSizeLimit
	case ldap.LDAPResultAdminLimitExceeded:
		e.State = stateAdminLimit
	case ldap.LDAPResultInsufficientAccessRights:
		e.State = statePermission
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		e.State, e.Fix = "encryption", "the server wants an encrypted connection: use an ldaps:// URL, or set start_tls: true"
	case ldap.LDAPResultReferral:
		return c.referred(doing, referralIn(answer))
	case ldap.LDAPResultUnavailableCriticalExtension:
		e.State, e.Fix = "paging-unsupported", "the server must offer paged results (control 1.2.840.113556.1.4.319): without them nobody can say whether an answer is whole"
	case ldap.LDAPResultNoSuchObject:
		e.State, e.Fix = "base-missing", "correct base_dn, user_bases or group_bases, or let the bind DN see that entry: it does not exist, or the bind DN may not know that it does"
	case ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication:
		e.State, e.Fix = credentials(s.words(err))
	case ldap.LDAPResultOperationsError:
		e.State, e.Fix = "server-error", "Active Directory answers so when nobody is bound: see that bind_dn and bind_password are those of an account that may sign in"
	case ldap.LDAPResultUnwillingToPerform:
		e.State, e.Fix = "refused", "the server's words say why"
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		e.State, e.Retry, e.Fix = "busy", true, "wait; if it stays so, the server has too few threads or connections, or is being maintained"
	default:
		e.Fix = "the server's log says more"
	}
	if c.dialect != nil && c.dialect.advice[e.State] != "" {
		e.Fix = c.advice(e.State)
	}
	return e
}

// advice is what to change on the server, as it would be written there.
func (c *connection) advice(state string) string {
	return strings.NewReplacer("$BIND", c.server.bindDN, "$BASE", c.server.baseDN).Replace(c.dialect.advice[state])
}

// distrusted sorts what is wrong with the server's certificate, and reports whether it is that.
func (c *connection) distrusted(e *source.Error, err error) bool {
	e.State = "tls-certificate"
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok || strings.Contains(err.Error(), "certificate signed by unknown authority") {
		e.Fix = "set ca_file to the certificate of the authority that signed the server's"
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok || strings.Contains(err.Error(), "certificate is valid for") || strings.Contains(err.Error(), "doesn't contain any IP SANs") {
		e.Fix = "use in url the name that stands in the server's certificate"
		return true
	}
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	if invalid || unverified || strings.Contains(err.Error(), "failed to verify certificate") {
		e.Fix = "give the server a certificate that is valid now and for its name"
		return true
	}
	e.State = "server-error"
	return false
}

// credentials sorts a refused bind. Active Directory tells why by a number in its words (MS-ERREF §2.2).
func credentials(words string) (state, fix string) {
	for _, known := range []struct{ data, state, fix string }{
		{"data 532", "credentials-expired", "the password of the bind DN has expired: set a new one, and one that does not expire"},
		{"data 773", "credentials-expired", "the bind DN must change its password before it can sign in: set a new one without that flag"},
		{"data 701", "credentials-expired", "the account of the bind DN has expired: extend it"},
		{"data 533", "credentials-disabled", "the account of the bind DN is disabled: enable it"},
		{"data 775", "credentials-locked", "the account of the bind DN is locked out: unlock it, and find who tries wrong passwords"},
		{"data 525", "credentials-refused", "there is no such account: correct bind_dn"},
		{"data 530", "credentials-refused", "the account of the bind DN may not sign in at this time"},
		{"data 531", "credentials-refused", "the account of the bind DN may not sign in from this machine"},
	} {
		if strings.Contains(words, known.data+",") {
			return known.state, known.fix
		}
	}
	return "credentials-refused", "correct bind_dn and bind_password; the server does not say which of them is wrong, or whether the account is locked or its password has expired"
}

// referred refuses to follow a referral: it would send the password to a server that nobody configured.
func (c *connection) referred(doing, to string) error {
	host := "another server"
	if u, err := url.Parse(to); err == nil && u.Host != "" {
		host = u.Scheme + "://" + u.Host + u.EscapedPath()
	}
	return &source.Error{
		State:   "referral",
		Message: fmt.Sprintf("%s: %s: a part of it lies on %s, and referrals are not followed: the password would go to a server that nobody configured", c.server.url, doing, host),
		Fix:     "make a source of its own for that server, and set user_bases and group_bases of this one to what lies here",
	}
}

// referralIn returns where a result with code 10 points to.
func referralIn(e *ldap.Error) string {
	if e.Packet == nil || len(e.Packet.Children) < 2 {
		return ""
	}
	for _, child := range e.Packet.Children[1].Children {
		if child.Tag == 3 && len(child.Children) > 0 {
			return child.Children[0].Data.String()
		}
	}
	return ""
}

// words is what an error says, in one line, without the password: nobody knows what a server repeats.
func (s *server) words(err error) string {
	if err == nil {
		return "no answer"
	}
	text := err.Error()
	if e, ok := errors.AsType[*ldap.Error](err); ok && e.ResultCode < ldap.ErrorNetwork {
		text = fmt.Sprintf("%s (code %d)", ldap.LDAPResultCodeMap[e.ResultCode], e.ResultCode)
		if e.Err != nil && e.Err.Error() != "" {
			text += ": " + e.Err.Error()
		}
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if p := s.password.Reveal(); p != "" {
		text = strings.ReplaceAll(text, p, s.password.String())
	}
	return text
}
