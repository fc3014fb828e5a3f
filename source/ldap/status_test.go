package ldap

import (
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/directory"
)

func TestWhoMaySignIn(t *testing.T) {
	for _, test := range []struct {
		vendor     string
		attributes string // as name=value, separated by spaces
		want       directory.Status
	}{
		{"openldap", "", directory.Active},
		{"openldap", "pwdAccountLockedTime=000001010000Z", directory.Disabled},
		{"openldap", "pwdAccountLockedTime=20260301092900Z", directory.Locked},
		{"openldap", "pwdAccountLockedTime=20260301092900.123456Z", directory.Locked},
		{"openldap", "pwdEndTime=20260301093000Z", directory.Disabled},
		{"openldap", "pwdEndTime=20260301093001Z", directory.Active},
		{"openldap", "pwdEndTime=202603011030+0100", directory.Disabled},
		{"openldap", "pwdEndTime=20260101000000Z pwdAccountLockedTime=20260301092900Z", directory.Disabled},
		{"openldap", "pwdStartTime=20270101000000Z", directory.Disabled},
		{"openldap", "pwdStartTime=20250101000000,5Z", directory.Active},
		{"openldap", "shadowExpire=20512", directory.Disabled}, // 28 February 2026
		{"openldap", "shadowExpire=20513", directory.Active},
		{"openldap", "shadowExpire=-1", directory.Active},
		{"openldap", "shadowExpire=0", directory.Active},
		{"openldap", "shadowExpire=soon", ""},
		{"openldap", "pwdEndTime=never", ""},
		{"389ds", "", directory.Active},
		{"389ds", "nsAccountLock=TRUE", directory.Disabled},
		{"389ds", "nsaccountlock=true", directory.Disabled},
		{"389ds", "nsAccountLock=false", directory.Active},
		{"389ds", "accountUnlockTime=20260301100000Z", directory.Locked},
		{"389ds", "accountUnlockTime=20260301090000Z", directory.Active},
		{"389ds", "accountUnlockTime=19700101000000Z", directory.Locked},
		{"389ds", "passwordExpirationTime=20200101000000Z", directory.Active},
		{"389ds", "krbPrincipalExpiration=20200101000000Z", directory.Disabled},
		{"ad", "userAccountControl=512", directory.Active},
		{"ad", "userAccountControl=514", directory.Disabled},
		{"ad", "userAccountControl=8389120", directory.Active}, // the password has expired
		{"ad", "userAccountControl=512 accountExpires=0", directory.Active},
		{"ad", "userAccountControl=512 accountExpires=9223372036854775807", directory.Active},
		{"ad", "userAccountControl=512 accountExpires=130000000000000000", directory.Disabled},
		{"ad", "userAccountControl=512 accountExpires=150000000000000000", directory.Active},
		{"ad", "userAccountControl=512 lockoutTime=133000000000000000", directory.Locked},
		{"ad", "userAccountControl=512 lockoutTime=0", directory.Active},
		{"ad", "userAccountControl=512 lockoutTime=133000000000000000 msDS-User-Account-Control-Computed=0", directory.Active},
		{"ad", "userAccountControl=512 msDS-User-Account-Control-Computed=16", directory.Locked},
		{"ad", "userAccountControl=514 msDS-User-Account-Control-Computed=16", directory.Disabled},
		{"ad", "userAccountControl=x", ""},
	} {
		e := &ldap.Entry{DN: "uid=ada"}
		for pair := range strings.FieldsSeq(test.attributes) {
			name, value, _ := strings.Cut(pair, "=")
			e.Attributes = append(e.Attributes, ldap.NewEntryAttribute(name, []string{value}))
		}
		got, err := dialects[test.vendor].status(e, march)
		if test.want == "" && err == nil || test.want != "" && (err != nil || got != test.want) {
			t.Errorf("%s %s: %s (%v), not %s", test.vendor, test.attributes, got, err, test.want)
		}
	}
}

func TestAFiletimeCountsFrom1601(t *testing.T) {
	if got := filetime(132_539_328_000_000_000); !got.Equal(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error(got)
	}
}

func TestAGUIDIsWrittenAsOthersWriteIt(t *testing.T) {
	raw := []byte{0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0x78, 0x56, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0}
	const want = "12345678-1234-5678-1234-56789abcdef0"
	if got := guid(raw); got != want {
		t.Error(got)
	}
	if got := guidFilter(want); got != `\78\56\34\12\34\12\78\56\12\34\56\78\9a\bc\de\f0` {
		t.Error(got)
	}
	if guid(raw[1:]) != "" || guidFilter("no such id") != "" || uuidFilter("*") != "" {
		t.Error("what is none is taken for one")
	}
}

func TestThePrimaryGroupIsTheUsersOwnDomainAndANumber(t *testing.T) {
	user, group := "\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00domain-12345\x51\x04\x00\x00", "\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00domain-12345\x01\x02\x00\x00"
	if got := primaryGroup(user, "513"); got != group {
		t.Errorf("%q", got)
	}
	if primaryGroup("", "513") != "" || primaryGroup(user, "") != "" {
		t.Error("what is missing is made up")
	}
}
