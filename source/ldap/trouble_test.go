package ldap

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/source"
)

func TestEveryTroubleHasAStateAndANextStep(t *testing.T) {
	for _, vendor := range []string{"openldap", "389ds", "ad"} {
		d := dialects[vendor]
		c := &connection{server: &server{url: "ldaps://ldap.example.com"}, dialect: &d, raw: &net.TCPConn{}}
		for code := uint16(1); code < 123; code++ {
			e, ok := errors.AsType[*source.Error](c.trouble(t.Context(), "read", ldap.NewError(code, errors.New(""))))
			if !ok || e.State == "" || e.Message == "" || e.Fix == "" {
				t.Errorf("%s %d: %+v", vendor, code, e)
			}
			if retry := code == ldap.LDAPResultBusy || code == ldap.LDAPResultUnavailable; ok && e.Retry != retry {
				t.Errorf("%s %d: worth another try: %t", vendor, code, e.Retry)
			}
		}
		for _, state := range []string{stateSizeLimit, stateAdminLimit, stateTimeLimit, statePermission} {
			if d.advice[state] == "" {
				t.Errorf("%s has no advice for %s", vendor, state)
			}
		}
	}
	c := &connection{server: &server{url: "ldaps://ldap.example.com"}}
	for err, want := range map[error]string{
		ldap.NewError(49, errors.New("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 533, v2580")): "credentials-disabled",
		ldap.NewError(49, errors.New("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 775, v2580")): "credentials-locked",
		ldap.NewError(49, errors.New("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v2580")): "credentials-refused",
		ldap.NewError(8, errors.New("BindSimple: transport encryption required")):                                                "encryption",
		fmt.Errorf("tls: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "ldap"}):                                "tls-certificate",
		fmt.Errorf("tls: %w", x509.UnknownAuthorityError{}):                                                                      "tls-certificate",
		errors.New("connection refused"): "unreachable",
	} {
		if e, ok := errors.AsType[*source.Error](c.trouble(t.Context(), "bind", err)); !ok || e.State != want {
			t.Errorf("%v is %+v, not %s", err, e, want)
		}
	}
}
