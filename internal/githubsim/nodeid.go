package githubsim

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// Node ids look like GitHub's and, like GitHub's, promise nothing about their inside.
const (
	nodeUser                  = "U"
	nodeOrganization          = "O"
	nodeTeam                  = "T"
	nodeEnterprise            = "E"
	nodeInvitation            = "OI"
	nodeExternalIdentity      = "EI"
	nodeOrganizationIDP       = "OIP"
	nodeEnterpriseIDP         = "EIP"
	nodeApp                   = "A"
	nodeIDMark           byte = 0x92
)

func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte{nodeIDMark}, uint64(id)))
}

func parseNodeID(s string) (kind string, id int64, ok bool) {
	kind, rest, found := strings.Cut(s, "_")
	b, err := base64.RawURLEncoding.DecodeString(rest)
	if !found || err != nil || len(b) != 9 || b[0] != nodeIDMark {
		return "", 0, false
	}
	return kind, int64(binary.BigEndian.Uint64(b[1:])), true
}
