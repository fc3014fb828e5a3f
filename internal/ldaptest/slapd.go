package ldaptest

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// What a Slapd serves, and who may read it.
const (
	Base     = "dc=example,dc=test"
	Reader   = "cn=reader," + Base // may read all but passwords
	Admin    = "cn=admin," + Base  // may do anything
	Password = "r3ader's"          // of both
)

// Limits are those of a server that is well kept: 500 entries without paging, pages of 500, and as many pages as there are.
const Limits = "sizelimit size.soft=500 size.hard=500 size.pr=500 size.prtotal=unlimited"

// A Slapd is a running OpenLDAP with a tree below Base.
type Slapd struct {
	URL    string // ldap://127.0.0.1:PORT
	TLSURL string // ldaps://127.0.0.1:PORT
	CAFile string // the authority of its certificate

	t       testing.TB
	folder  string
	config  string
	process *process
}

// Options of a Slapd.
type Options struct {
	LDIF   string // entries below Base; Base itself, ou=people, ou=groups and Reader are there already
	Limits string // lines of slapd.conf(5) for the database in place of Limits
	Access string // access lines that come before the usual ones
	Refint bool   // members follow an entry that is renamed or moved, and go with one that is deleted: overlay refint
}

// StartSlapd serves a tree until the test is over. Without slapd the test is skipped, or fails when CI is true.
func StartSlapd(t testing.TB, o Options) *Slapd {
	t.Helper()
	schema, modules := firstFolder("/etc/ldap/schema", "/etc/openldap/schema"), firstFolder("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/libexec/openldap")
	if slapd() == "" || schema == "" || modules == "" {
		missing(t, "OpenLDAP is not installed: apt-get install slapd")
	}
	s := &Slapd{t: t, folder: t.TempDir(), CAFile: ""}
	s.CAFile = filepath.Join(s.folder, "ca.pem")
	if err := certificate(s.CAFile, filepath.Join(s.folder, "server.key")); err != nil {
		t.Fatal(err)
	}
	s.config = filepath.Join(s.folder, "slapd.conf")
	text := strings.NewReplacer("$SCHEMA", schema, "$MODULES", modules, "$FOLDER", s.folder, "$BASE", Base, "$READER", Reader,
		"$ADMIN", Admin, "$PASSWORD", Password,
		"$LIMITS", cmp.Or(o.Limits, Limits), "$ACCESS", o.Access).Replace(slapdConf)
	if o.Refint {
		text += refintConf
	}
	for name, text := range map[string]string{"slapd.conf": text, "test.schema": testSchema} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(s.stop)
	s.Load(o.LDIF)
	return s
}

// Load replaces the tree. The server is another process afterwards, and on other ports.
func (s *Slapd) Load(ldif string) {
	s.t.Helper()
	s.stop()
	if err := s.load(ldif); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Slapd) load(ldif string) error {
	data := filepath.Join(s.folder, "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	root := strings.NewReplacer("$BASE", Base, "$READER", Reader, "$PASSWORD", Password).Replace(rootLDIF)
	add := exec.Command(slapd(), "-T", "add", "-q", "-f", s.config)
	add.Stdin = strings.NewReader(root + "\n" + ldif)
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("slapadd: %w: %s", err, bytes.TrimSpace(out[:min(len(out), 2000)]))
	}
	var err error
	for range 5 { // another may take the port before slapd does
		var plain, encrypted string
		if plain, err = freeAddress(); err != nil {
			return err
		}
		if encrypted, err = freeAddress(); err != nil {
			return err
		}
		s.URL, s.TLSURL = "ldap://"+plain, "ldaps://"+encrypted
		if s.process, err = begin(slapd(), "-f", s.config, "-h", s.URL+" "+s.TLSURL, "-d", "0"); err != nil {
			return err
		}
		if err = s.process.answers(s.URL, Reader, Password); err == nil {
			return nil
		}
		s.stop()
	}
	return fmt.Errorf("slapd: %w", err)
}

// Change does something to the tree as the Admin.
func (s *Slapd) Change(do func(*ldap.Conn) error) {
	s.t.Helper()
	c, err := ldap.DialURL(s.URL)
	if err == nil {
		if err = c.Bind(Admin, Password); err == nil {
			err = do(c)
		}
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// Forgets waits until no group lists an entry or what lay below it: refint works when the answer to a change is out already.
func (s *Slapd) Forgets(dn string) {
	s.t.Helper()
	s.Change(func(c *ldap.Conn) error {
		left := fmt.Sprintf("(|(member:dnSubtreeMatch:=%[1]s)(uniqueMember:dnSubtreeMatch:=%[1]s))", ldap.EscapeFilter(dn))
		for deadline := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
			groups, err := c.Search(ldap.NewSearchRequest(Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, left, []string{"1.1"}, nil))
			if err != nil || len(groups.Entries) == 0 {
				return err
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%d groups still list %s", len(groups.Entries), dn)
			}
		}
	})
}

func (s *Slapd) stop() {
	if s.process != nil {
		s.process.end()
		s.process = nil
	}
}

// slapd returns where the program is: Debian keeps it out of the PATH of ordinary users.
func slapd() string {
	for _, name := range []string{"slapd", "/usr/sbin/slapd", "/usr/libexec/slapd"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func firstFolder(paths ...string) string {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
	}
	return ""
}

const slapdConf = `include $SCHEMA/core.schema
include $SCHEMA/cosine.schema
include $SCHEMA/nis.schema
include $SCHEMA/inetorgperson.schema
include $SCHEMA/dyngroup.schema
include $FOLDER/test.schema
pidfile $FOLDER/slapd.pid
modulepath $MODULES
moduleload back_mdb
moduleload ppolicy
moduleload refint
TLSCertificateFile $FOLDER/ca.pem
TLSCertificateKeyFile $FOLDER/server.key
threads 4
database mdb
suffix "$BASE"
rootdn "$ADMIN"
rootpw "$PASSWORD"
directory $FOLDER/data
maxsize 1073741824
dbnosync
index objectClass,entryUUID eq
index cn,uid eq,sub
$LIMITS
$ACCESS
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="$READER" read by * auth
overlay ppolicy
`

const refintConf = `overlay refint
refint_attributes member uniqueMember
`

// The arc is OpenLDAP's for experiments. groupOfMembers is that of RFC 2307bis: a group that may be empty.
const testSchema = `attributetype ( 1.3.6.1.4.1.4203.666.11.77.1 NAME 'githubLogin' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64} )
objectclass ( 1.3.6.1.4.1.4203.666.11.77.2 NAME 'githubAccount' SUP top AUXILIARY MAY githubLogin )
objectclass ( 1.3.6.1.4.1.4203.666.11.77.3 NAME 'groupOfMembers' SUP top STRUCTURAL MUST cn
  MAY ( businessCategory $ seeAlso $ owner $ ou $ o $ description $ member ) )
`

const rootLDIF = `dn: $BASE
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: $READER
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: $PASSWORD

dn: ou=people,$BASE
objectClass: organizationalUnit
ou: people

dn: ou=groups,$BASE
objectClass: organizationalUnit
ou: groups
`

// certificate writes a certificate for localhost that is its own authority, and its key.
func certificate(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "ldaptest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
