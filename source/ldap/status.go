package ldap

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/directory"
)

// Who may sign in. Disabled users are no members of anything, so a user is disabled only where the server would refuse them until somebody or
// the calendar changes that; who is locked out for a while, or has a password that has run out, stays a member.
//
//	            disabled                                          locked
//	OpenLDAP    pwdAccountLockedTime 000001010000Z,               pwdAccountLockedTime with any other value
//	            pwdEndTime past, pwdStartTime to come,
//	            shadowExpire past
//	389-ds      nsAccountLock true, krbPrincipalExpiration past,  accountUnlockTime to come, or 19700101000000Z: until a
//	            shadowExpire past                                 password reset
//	AD          userAccountControl & 2, accountExpires past       msDS-User-Account-Control-Computed & 16, else lockoutTime > 0
//
// Attributes of the password itself (pwdReset, passwordExpirationTime, pwdLastSet) are not asked for: a password that has run out is a
// reason to change it, not to leave the team.

// permanent is what an administrator sets to lock an account for good (draft-behera-ldap-password-policy-10 §5.3.3). Too many wrong
// passwords set the time of day, whatever the lock's duration.
const permanent = "000001010000Z"

func openldapStatus(e *ldap.Entry, now time.Time) (directory.Status, error) {
	locked := value(e, "pwdAccountLockedTime")
	if locked == permanent {
		return directory.Disabled, nil
	}
	if end, ok, err := moment(e, "pwdEndTime"); err != nil || ok && !now.Before(end) {
		return directory.Disabled, err
	}
	if start, ok, err := moment(e, "pwdStartTime"); err != nil || ok && now.Before(start) {
		return directory.Disabled, err
	}
	if expired, err := shadowExpired(e, now); err != nil || expired {
		return directory.Disabled, err
	}
	if locked != "" {
		return directory.Locked, nil
	}
	return directory.Active, nil
}

func status389(e *ldap.Entry, now time.Time) (directory.Status, error) {
	if strings.EqualFold(value(e, "nsAccountLock"), "true") {
		return directory.Disabled, nil
	}
	if end, ok, err := moment(e, "krbPrincipalExpiration"); err != nil || ok && !now.Before(end) {
		return directory.Disabled, err
	}
	if expired, err := shadowExpired(e, now); err != nil || expired {
		return directory.Disabled, err
	}
	unlock, ok, err := moment(e, "accountUnlockTime")
	if err != nil {
		return "", err
	}
	if ok && (unlock.Unix() <= 0 || now.Before(unlock)) {
		return directory.Locked, nil
	}
	return directory.Active, nil
}

// Bits of userAccountControl and msDS-User-Account-Control-Computed (MS-ADTS §2.2.16).
const (
	accountDisable = 0x2
	lockout        = 0x10
)

func adStatus(e *ldap.Entry, now time.Time) (directory.Status, error) {
	control, _, err := whole(e, "userAccountControl")
	if err != nil || control&accountDisable != 0 {
		return directory.Disabled, err
	}
	expires, ok, err := whole(e, "accountExpires")
	if err != nil {
		return "", err
	}
	// 0 and the largest number mean never (MS-ADA1 §2.1).
	if ok && expires != 0 && expires != 1<<63-1 && !now.Before(filetime(expires)) {
		return directory.Disabled, nil
	}
	// lockoutTime stays set when the lock has run out, until the next sign-in; the computed bit knows.
	computed, ok, err := whole(e, "msDS-User-Account-Control-Computed")
	if err != nil {
		return "", err
	}
	if ok {
		if computed&lockout != 0 {
			return directory.Locked, nil
		}
		return directory.Active, nil
	}
	since, _, err := whole(e, "lockoutTime")
	if err != nil {
		return "", err
	}
	if since > 0 {
		return directory.Locked, nil
	}
	return directory.Active, nil
}

// filetime is a moment in steps of 100 ns since 1601 (MS-DTYP §2.3.3).
func filetime(n int64) time.Time {
	const from1601 = 11_644_473_600 // seconds to 1970
	return time.Unix(n/10_000_000-from1601, n%10_000_000*100).UTC()
}

// shadowExpired reads the day after which an account may not be used, in days since 1970; 0 and less mean never, as for shadow(5).
func shadowExpired(e *ldap.Entry, now time.Time) (bool, error) {
	day, ok, err := whole(e, "shadowExpire")
	return ok && day > 0 && now.Unix()/86400 > day, err
}

// whole reads a number.
func whole(e *ldap.Entry, attribute string) (n int64, ok bool, err error) {
	text := value(e, attribute)
	if text == "" {
		return 0, false, nil
	}
	n, err = strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%s: %s is no number: %q", e.DN, attribute, text)
	}
	return n, true, nil
}

// moment reads a generalized time (RFC 4517 §3.3.13).
func moment(e *ldap.Entry, attribute string) (t time.Time, ok bool, err error) {
	text := value(e, attribute)
	if text == "" {
		return time.Time{}, false, nil
	}
	for _, layout := range []string{"20060102150405Z0700", "200601021504Z0700", "2006010215Z0700"} {
		// Fractions of a second are read after the seconds, whatever the layout says; a comma is as good as a point.
		if t, err := time.Parse(layout, text); err == nil {
			return t, true, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%s: %s is no time: %q", e.DN, attribute, text)
}
