package ldaptest

import "syscall"

// attributes make a child end when we do, however we end.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
