package ldap

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"musterline.example/directory"
	"musterline.example/source"
)

// A dialect is what differs between the servers. Nothing outside this file and the functions it names knows which server it is.
type dialect struct {
	title string

	id       string                       // the attribute that no rename changes
	idText   func(raw []byte) string      // its value as text; "" for what is none
	idFilter func(id string) (raw string) // the text as an escaped assertion value; "" for what cannot be one

	username  []string // the first that has a value counts
	display   []string
	email     string
	account   string
	groupName string

	userFilter  string
	groupFilter string
	members     []string // attributes that hold DNs of members
	memberUIDs  string   // the attribute that holds uids of members; "" if there is none
	dynamic     string   // the attribute that describes members instead of listing them
	ranges      bool     // values may come in slices
	stamp       string   // what changes with a group, to see that it stood still while its slices were read
	sid         string   // the attribute of the security id, which the primary group is found by
	primary     string   // the attribute of a user's primary group
	compares    bool     // a compare tells a hidden attribute from one that is not there

	// What says who may sign in, and how; needed are those that every user has, so that a missing one is one that may not be read.
	statusAttributes, needed []string
	status                   func(e *ldap.Entry, now time.Time) (directory.Status, error)

	controls []ldap.Control // with each search
	advice   map[string]string
}

// The users of OpenLDAP and 389 Directory Server, and the groups: RFC 2798, RFC 2307, RFC 4519 §3.5 and §3.6, and the groupOfMembers of
// RFC 2307bis. A class that a server does not know matches nothing.
const (
	commonUsers  = "(|(objectClass=inetOrgPerson)(objectClass=posixAccount))"
	commonGroups = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=groupOfMembers)(objectClass=posixGroup))"
)

// dialects are the servers we know, by the word in the setting vendor.
var dialects = map[string]dialect{
	"openldap": {
		title: "OpenLDAP", id: "entryUUID", idText: lower, idFilter: uuidFilter, // RFC 4530
		username: []string{"uid"}, display: []string{"displayName", "cn"},
		userFilter: commonUsers, groupFilter: commonGroups,
		members: []string{"member", "uniqueMember"}, memberUIDs: "memberUid", dynamic: "memberURL", compares: true,
		statusAttributes: []string{"pwdAccountLockedTime", "pwdStartTime", "pwdEndTime", "shadowExpire"}, status: openldapStatus,
		advice: map[string]string{
			stateSizeLimit:  `give it a limit of its own: limits dn.exact="$BIND" size.prtotal=unlimited (olcLimits in cn=config)`,
			stateAdminLimit: `lower page_size to the server's size.pr, or give it a limit of its own: limits dn.exact="$BIND" size.pr=1000 size.prtotal=unlimited size.unchecked=unlimited (olcLimits in cn=config)`,
			stateTimeLimit:  `give it a limit of its own: limits dn.exact="$BIND" time=unlimited (olcLimits in cn=config)`,
			statePermission: `let it read the base, every entry below it and their attributes: access to dn.subtree="$BASE" by dn.exact="$BIND" read (olcAccess in cn=config)`,
		},
	},
	"389ds": {
		title: "389 Directory Server", id: "nsUniqueId", idText: lower, idFilter: plainFilter,
		username: []string{"uid"}, display: []string{"displayName", "cn"},
		userFilter: commonUsers, groupFilter: commonGroups,
		members: []string{"member", "uniqueMember"}, memberUIDs: "memberUid", dynamic: "memberURL", compares: true,
		statusAttributes: []string{"nsAccountLock", "accountUnlockTime", "krbPrincipalExpiration", "shadowExpire"}, status: status389,
		advice: map[string]string{
			stateSizeLimit:  "raise the limit for $BIND: nsSizeLimit and nsPagedSizeLimit in its entry, or nsslapd-sizelimit and nsslapd-pagedsizelimit of the server; or lower page_size: the limit is for each page and must be larger",
			stateAdminLimit: "raise the lookthrough limit, which counts across pages: nsPagedLookThroughLimit and nsLookThroughLimit in the entry of $BIND (-1 for none), or nsslapd-pagedlookthroughlimit and nsslapd-lookthroughlimit of the database; if that is not it, lower page_size",
			stateTimeLimit:  "raise the limit for $BIND: nsTimeLimit in its entry, or nsslapd-timelimit of the server",
			statePermission: "give $BIND an ACI with the rights read, search and compare on the base and everything below it",
		},
	},
	"ad": {
		title: "Active Directory", id: "objectGUID", idText: guid, idFilter: guidFilter,
		username: []string{"userPrincipalName", "sAMAccountName"}, display: []string{"displayName", "cn"},
		// objectCategory keeps computers out, which are users to objectClass, and is indexed.
		userFilter: "(&(objectCategory=person)(objectClass=user))", groupFilter: "(objectClass=group)",
		members: []string{"member"}, ranges: true, stamp: "uSNChanged", sid: "objectSid", primary: "primaryGroupID",
		statusAttributes: []string{"userAccountControl", "accountExpires", "lockoutTime", "msDS-User-Account-Control-Computed"},
		needed:           []string{"userAccountControl", "objectSid", "primaryGroupID"}, status: adStatus,
		controls: []ldap.Control{ldap.NewControlString(domainScope, false, "")},
		advice: map[string]string{
			stateSizeLimit:  "lower page_size to MaxPageSize of the server's LDAP policy (1000 unless changed), or raise that with ntdsutil",
			stateAdminLimit: "lower page_size to MaxPageSize of the server's LDAP policy (1000 unless changed), or raise the limit it names with ntdsutil",
			stateTimeLimit:  "raise MaxQueryDuration in the server's LDAP policy with ntdsutil (120 seconds unless changed), or narrow the bases",
			statePermission: "give $BIND Read all properties and List contents on the base and everything below it; any member of Domain Users has them unless they were taken away",
		},
	},
}

// domainScope keeps Active Directory from naming, in each search from the root of a domain, its DNS and configuration partitions as places
// to go on (MS-ADTS §3.1.1.3.4.1.3, LDAP_SERVER_DOMAIN_SCOPE_OID). Nobody we look for lives there. Those of another domain do not show, and a
// member who lives in one is told when the member is looked up.
const domainScope = "1.2.840.113556.1.4.1339"

// What servers say of themselves in their root DSE (RFC 4512 §5.1; MS-ADTS §3.1.1.3.4.3.1 and .2).
const (
	capabilityAD   = "1.2.840.113556.1.4.800"
	capabilityADAM = "1.2.840.113556.1.4.1851"
)

// chooseDialect returns how to speak with the server: as the setting says or as the root DSE shows, with what the operator has set.
func (c *connection) chooseDialect(ctx context.Context) (*dialect, error) {
	word := c.server.vendor
	if word == auto {
		root, err := c.root(ctx)
		if err != nil {
			return nil, err
		}
		capabilities := values(root, "supportedCapabilities")
		name := strings.ToLower(strings.Join(append(values(root, "vendorName"), values(root, "vendorVersion")...), " "))
		switch {
		case slices.Contains(capabilities, capabilityADAM) && !slices.Contains(capabilities, capabilityAD):
			return nil, &source.Error{State: "vendor", Message: c.server.url + " is AD LDS, which keeps accounts otherwise than Active Directory", Fix: "read the domain controllers instead"}
		case slices.Contains(capabilities, capabilityAD):
			word = "ad"
		case slices.ContainsFunc(values(root, "objectClass"), func(v string) bool { return strings.EqualFold(v, "OpenLDAProotDSE") }):
			word = "openldap"
		case strings.Contains(name, "389"), strings.Contains(name, "red hat"), strings.Contains(name, "fedora"):
			word = "389ds"
		default:
			return nil, &source.Error{State: "vendor", Message: c.server.url + " does not say what server it is", Fix: "set vendor to openldap, 389ds or ad, whichever keeps accounts in the same attributes"}
		}
	}
	d := dialects[word]
	given := c.server.given
	if given.id != "" && !strings.EqualFold(given.id, d.id) {
		d.id, d.idText, d.idFilter = given.id, func(raw []byte) string { return string(raw) }, plainFilter
	}
	if given.username != nil {
		d.username = given.username
	}
	if given.display != nil {
		d.display = given.display
	}
	d.email, d.account, d.groupName = given.email, given.account, given.groupName
	if given.userFilter != "" {
		d.userFilter = given.userFilter
	}
	if given.groupFilter != "" {
		d.groupFilter = given.groupFilter
	}
	return &d, nil
}

func lower(raw []byte) string { return strings.ToLower(string(raw)) }

// guid writes an objectGUID as people and other programs do: the first three fields are little-endian (MS-DTYP §2.3.4.2).
func guid(raw []byte) string {
	if len(raw) != 16 {
		return ""
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(raw), binary.LittleEndian.Uint16(raw[4:]),
		binary.LittleEndian.Uint16(raw[6:]), raw[8:10], raw[10:])
}

func plainFilter(id string) string { return ldap.EscapeFilter(id) }

func uuidFilter(id string) string {
	if _, ok := uuidBytes(id); !ok {
		return ""
	}
	return id
}

func guidFilter(id string) string {
	b, ok := uuidBytes(id)
	if !ok {
		return ""
	}
	slices.Reverse(b[0:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, `\%02x`, c)
	}
	return out.String()
}

// uuidBytes reads 8-4-4-4-12 hexadecimal digits.
func uuidBytes(id string) ([]byte, bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return nil, false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	return b, err == nil && len(b) == 16
}
