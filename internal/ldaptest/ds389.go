package ldaptest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// A DS389 is a running 389 Directory Server.
type DS389 struct {
	URL string // ldap://127.0.0.1:PORT
}

// Start389 serves a tree below Base until the test is over: the entries of an LDIF, beside Base itself, ou=people, ou=groups and the Reader,
// who has no limits. Whoever signs in may read everything. Without the server the test is skipped, or fails when CI is true.
//
// dscreate, which makes instances usually, wants systemd, root and /etc. The same template is filled in here, for a folder of our own.
func Start389(t testing.TB, ldif string) *DS389 {
	t.Helper()
	program, err := exec.LookPath("ns-slapd")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/ns-slapd")
	}
	data, schema := firstFolder("/usr/share/dirsrv/data"), firstFolder("/usr/share/dirsrv/schema")
	if err != nil || data == "" || schema == "" {
		missing(t, "389 Directory Server is not installed: apt-get install 389-ds-base")
	}
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"conf", "db/userroot", "lock", "tmp", "ldif", "bak", "run", "log", "inst"} {
		check(os.MkdirAll(in(name), 0o700))
	}
	check(os.CopyFS(in("conf/schema"), os.DirFS(schema)))
	check(os.WriteFile(in("conf/schema/99user.ldif"), []byte(schema389), 0o600))
	for _, name := range []string{"slapd-collations.conf", "certmap.conf"} { // those of /etc only root may read, and none of us needs what they say
		check(os.WriteFile(in("conf/"+name), nil, 0o600))
	}
	root := strings.NewReplacer("$BASE", Base, "$READER", Reader, "$PASSWORD", Password).Replace(root389)
	check(os.WriteFile(in("tree.ldif"), []byte(root+"\n"+ldif), 0o600))
	template, err := os.ReadFile(filepath.Join(data, "template-dse.ldif"))
	check(err)
	who, err := user.Current()
	check(err)

	for range 5 { // another may take the port before the server does
		var address, port string
		address, err = freeAddress()
		check(err)
		_, port, err = net.SplitHostPort(address)
		check(err)
		check(os.WriteFile(in("conf/dse.ldif"), configuration389(string(template), folder, port, who.Username), 0o600))
		load := exec.Command(program, "ldif2db", "-D", in("conf"), "-n", "userroot", "-i", in("tree.ldif"))
		if out, err := load.CombinedOutput(); err != nil || bytes.Contains(out, []byte("ERR - ")) || bytes.Contains(out, []byte("WARN - bdb_import")) {
			t.Fatalf("ldif2db: %v: %s", err, bytes.TrimSpace(out[max(0, len(out)-4000):]))
		}
		var p *process
		p, err = begin(program, "-D", in("conf"), "-i", in("run/pid"), "-d", "0")
		check(err)
		s := &DS389{URL: "ldap://" + address}
		if err = p.answers(s.URL, Reader, Password); err == nil {
			t.Cleanup(p.end)
			return s
		}
		p.end()
	}
	t.Fatalf("ns-slapd: %v", err)
	return nil
}

// configuration389 fills in the template of a server's configuration, and adds a database for Base.
func configuration389(template, folder, port, user string) []byte {
	var kept []string
	for line := range strings.Lines(template) {
		// Nobody signs in as the administrator: the tree is loaded from a file.
		if !strings.HasPrefix(line, "nsslapd-rootpw:") {
			kept = append(kept, line)
		}
		switch {
		case strings.HasPrefix(line, "nsslapd-port:"):
			kept = append(kept, "nsslapd-listenhost: 127.0.0.1\n")
		case strings.HasPrefix(line, "nsslapd-db-home-directory:"):
			kept = append(kept, "nsslapd-import-cache-autosize: 0\n") // else loading a tree takes half the memory of the machine
		}
	}
	values := map[string]string{
		"%schema_dir%": "conf/schema", "%lock_dir%": "lock", "%tmp_dir%": "tmp", "%cert_dir%": "conf", "%ldif_dir%": "ldif", "%bak_dir%": "bak",
		"%run_dir%": "run", "%inst_dir%": "inst", "%log_dir%": "log", "%config_dir%": "conf", "%db_dir%": "db", "%db_home_dir%": "db", "%ldapi%": "run/ldapi",
	}
	pairs := []string{
		"%fqdn%", "localhost", "%ds_port%", port, "%ds_user%", user, "%rootdn%", "cn=Directory Manager", "%ds_suffix%", Base,
		"%ldapi_enabled%", "off", "%ldapi_autobind%", "off", "%db_lib%", "bdb",
	}
	for name, path := range values {
		pairs = append(pairs, name, filepath.Join(folder, path))
	}
	text := strings.TrimRight(strings.Join(kept, ""), "\n") + "\n\n" + strings.NewReplacer("$BASE", Base, "$DB", filepath.Join(folder, "db")).Replace(database389)
	return []byte(strings.NewReplacer(pairs...).Replace(text))
}

// With less cache, loading a tree waits for room after every few entries.
const database389 = `dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userroot
nsslapd-suffix: $BASE
nsslapd-directory: $DB/userroot
nsslapd-cachememsize: 67108864

dn: cn="$BASE",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: $BASE
nsslapd-state: backend
nsslapd-backend: userroot
`

// The attribute is that of the schema for slapd.
const schema389 = `dn: cn=schema
attributeTypes: ( 1.3.6.1.4.1.4203.666.11.77.1 NAME 'githubLogin' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-ORIGIN 'user defined' )
objectClasses: ( 1.3.6.1.4.1.4203.666.11.77.2 NAME 'githubAccount' SUP top AUXILIARY MAY githubLogin X-ORIGIN 'user defined' )
`

const root389 = `dn: $BASE
objectClass: top
objectClass: domain
dc: example
aci: (targetattr="*")(version 3.0; acl "readers"; allow (read, search, compare) userdn="ldap:///all";)

dn: $READER
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: $PASSWORD
nsLookThroughLimit: -1
nsPagedLookThroughLimit: -1
nsSizeLimit: -1
nsPagedSizeLimit: -1
nsTimeLimit: -1

dn: ou=people,$BASE
objectClass: organizationalUnit
ou: people

dn: ou=groups,$BASE
objectClass: organizationalUnit
ou: groups
`
