// Package ldaptest gives tests real directories: an OpenLDAP or a 389 Directory Server with any entries, and a Samba as Active Directory
// domain controller. A Proxy before one of them makes what goes wrong elsewhere: limits that it does not have, answers that come short,
// connections that end.
//
// It uses the servers that are installed (Debian packages slapd, 389-ds-base and samba-ad-dc) and listens on loopback only. What it starts
// ends with the test, by its id, even when the test binary is killed.
package ldaptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// startTime is how long a server may take until it answers.
const startTime = 30 * time.Second

// missing skips a test that needs what is not installed, or fails it when CI is true.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// A process is a server that was started.
type process struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	stop  chan struct{} // closed to end it
	ended chan struct{} // closed when it has
}

// begin starts a program. The kernel ends it with the thread that started it, so that thread is kept.
func begin(program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), stop: make(chan struct{}), ended: make(chan struct{})}
	p.cmd.SysProcAttr, p.cmd.Stdout, p.cmd.Stderr = attributes(), &p.out, &p.out
	begun := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(p.ended)
		err := p.cmd.Start()
		begun <- err
		if err != nil {
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = p.cmd.Wait() // how it ended is in its output
		}()
		select {
		case <-p.stop:
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-done:
			case <-time.After(5 * time.Second):
				_ = p.cmd.Process.Kill()
				<-done
			}
		case <-done:
		}
	}()
	return p, <-begun
}

// end ends the program and waits until it has.
func (p *process) end() {
	close(p.stop)
	<-p.ended
}

// answers waits until a server answers a bind.
func (p *process) answers(url, dn, password string) error {
	for deadline := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		err := tryBind(url, dn, password)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("it ended: %s", &p.out)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

func tryBind(url, dn, password string) error {
	c, err := ldap.DialURL(url)
	if err != nil {
		return err
	}
	return errors.Join(c.Bind(dn, password), c.Close())
}

// freeAddress returns an address of loopback with a port that nobody listens on.
func freeAddress() (string, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// freeHost returns an address of 127.0.0.0/8 where nobody listens on the ports of an Active Directory.
func freeHost() (string, error) {
	for i := range 200 {
		host := fmt.Sprintf("127.%d.%d.9", 77+i, os.Getpid()%250+1)
		free := true
		for _, port := range []int{389, 636, 3268, 3269} {
			l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
			if err != nil {
				free = false
				if errors.Is(err, os.ErrPermission) {
					return "", err
				}
				break
			}
			_ = l.Close()
		}
		if free {
			return host, nil
		}
	}
	return "", errors.New("no free address")
}
