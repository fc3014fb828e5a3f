package ldaptest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a Samba serves, and who may read it.
const (
	ADBase     = "DC=ad,DC=example,DC=test"
	ADReader   = "Administrator@ad.example.test"
	ADPassword = "Passw0rd.test"
)

// A Samba is a running Active Directory domain controller with the domain ADBase.
type Samba struct {
	URL string // ldap://ADDRESS, where it takes a bind without encryption
}

// StartSamba provisions a domain, adds the entries of an LDIF to it, and serves it until the test is over. The ports of a domain controller
// are fixed, so it listens on a loopback address of its own. Without Samba, and for others than root, whom those ports are refused, the
// test is skipped, or fails when CI is true.
func StartSamba(t testing.TB, ldif string) *Samba {
	t.Helper()
	const python, tool = "/usr/bin/python3", "/usr/bin/samba-tool" // Debian's python sees Debian's modules
	program, err := exec.LookPath("samba")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/samba"); err != nil {
			missing(t, "Samba is not installed: apt-get install samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind")
		}
	}
	if exec.Command(python, "-c", "import samba.samdb").Run() != nil {
		missing(t, "Samba's Python modules are not installed: apt-get install python3-samba samba-ad-provision samba-dsdb-modules")
	}
	host, err := freeHost()
	if err != nil {
		missing(t, "a domain controller listens on port 389, which is root's: "+err.Error())
	}
	folder := t.TempDir()
	run := func(input string, command ...string) {
		t.Helper()
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stdin = strings.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command[1], err, bytes.TrimSpace(out[max(0, len(out)-2000):]))
		}
	}
	run("", python, tool, "domain", "provision", "--realm=AD.EXAMPLE.TEST", "--domain=ADEX", "--server-role=dc", "--dns-backend=NONE",
		"--host-name=dc1", "--host-ip="+host, "--adminpass="+ADPassword, "--targetdir="+folder,
		"--option=interfaces="+host+"/8", "--option=bind interfaces only=yes", "--option=server services=ldap",
		"--option=vfs objects=", "--option=log file="+filepath.Join(folder, "log.%m"), "--option=posix:eadb="+filepath.Join(folder, "eadb.tdb"))

	// Provisioning drops this option; without it a bind on port 389 is refused, as on a hardened server.
	conf := filepath.Join(folder, "etc", "smb.conf")
	text, err := os.ReadFile(conf)
	if err == nil {
		err = os.WriteFile(conf, bytes.Replace(text, []byte("[global]\n"), []byte("[global]\n\tldap server require strong auth = no\n"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(ldif, python, "-c", sambaAdd, folder)

	p, err := begin(program, "-i", "-M", "single", "-s", conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	s := &Samba{URL: "ldap://" + host}
	if err := p.answers(s.URL, ADReader, ADPassword); err != nil {
		t.Fatal(fmt.Errorf("samba: %w", err))
	}
	return s
}

// sambaAdd adds entries past the server, with all of Active Directory's rules, in one transaction.
const sambaAdd = `
import sys
from samba.param import LoadParm
from samba.auth import system_session
from samba.samdb import SamDB
folder = sys.argv[1]
lp = LoadParm()
lp.load(folder + "/etc/smb.conf")
db = SamDB(url=folder + "/private/sam.ldb", session_info=system_session(lp), lp=lp)
db.transaction_start()
db.add_ldif(sys.stdin.read())
db.transaction_commit()
`
