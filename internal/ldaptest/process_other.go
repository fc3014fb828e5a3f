//go:build !linux

package ldaptest

import "syscall"

// attributes are those of any child: only Linux ends it with us, so here a killed test leaves a server behind.
func attributes() *syscall.SysProcAttr { return nil }
