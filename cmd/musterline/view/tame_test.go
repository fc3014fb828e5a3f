package view

import (
	"bytes"
	"strings"
	"testing"
)

// Names and reasons are other people's words, and a terminal obeys some characters.
func TestATextCannotGiveATerminalOrders(t *testing.T) {
	var out bytes.Buffer
	(Screen{Out: &out}).Line("reason: %s", "x\x1b]0;title\x07\x1b[2J\r\x00\u009b2J y")
	if strings.ContainsAny(out.String(), "\x1b\x07\r\x00\u009b") || !strings.HasSuffix(out.String(), " y\n") {
		t.Errorf("%q", out.String())
	}
}
