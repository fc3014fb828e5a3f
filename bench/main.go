// Command bench prints figures: GitHub calls of a sync, time and memory of deciding about a million memberships, the server
// under load, and pages in a browser. It prints and asserts nothing; tests assert, and never on time.
//
//	go run ./bench            everything, each figure in a process of its own
//	go run ./bench calls      GitHub calls of syncs without a change and with some
//	go run ./bench serve      the server under load, on SQLite and PostgreSQL
//	go run ./bench console    pages of the console in a browser
//	go run ./bench resolve    link, mapping, plan and guards over 1,000,000 memberships
//	go run ./bench resolve .  the same, and writes cpu.pprof and heap.pprof of it into that directory
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	figures := map[string]func(out io.Writer, profiles string) error{"calls": calls, "resolve": resolve, "serve": serve, "console": console}
	if len(os.Args) > 1 {
		figure, known := figures[os.Args[1]]
		if !known {
			fmt.Fprintf(os.Stderr, "bench: there is no figure %q; there are calls, resolve, serve and console\n", os.Args[1])
			os.Exit(64)
		}
		profiles := ""
		if len(os.Args) > 2 {
			profiles = os.Args[2]
		}
		if err := figure(os.Stdout, profiles); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	for i, name := range []string{"calls", "resolve", "serve", "console"} {
		if i > 0 {
			_, _ = os.Stdout.WriteString("\n")
		}
		one := exec.CommandContext(context.Background(), self, name) //nolint:gosec // ourselves, in a process of its own: the memory of one figure is not the next one's
		one.Stdout, one.Stderr = os.Stdout, os.Stderr
		if err := one.Run(); err != nil {
			os.Exit(1)
		}
	}
}
