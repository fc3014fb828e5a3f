package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"musterline.example/directory"
	"musterline.example/guard"
	"musterline.example/link"
	"musterline.example/mapping"
	"musterline.example/plan"
	"musterline.example/team"
)

// resolve decides about a million memberships in ten thousand teams, one in a thousand of which changes, and sets the time beside that of
// comm -3 on the same lists, sorted. Profiles of it go into a directory, if there is one.
func resolve(out io.Writer, profiles string) error {
	const teams, members, people = 10_000, 100, 50_000
	now := time.Now()
	s := &directory.Snapshot{Source: "corp", TakenAt: now, Users: make(map[directory.UserID]directory.User, people), Groups: make(map[directory.GroupID]directory.Group, teams)}
	in := mapping.Input{Target: "octo", Place: team.Place{Host: "github.com", OrganizationID: "1"}, Settings: mapping.DefaultSettings, Ledger: mapping.Ledger{}, Now: now,
		Sources: map[string]mapping.Reading{"corp": {Snapshot: s}}}
	logins, ids := make([]string, people), make([]team.AccountID, people)
	for i := range people {
		logins[i], ids[i] = fmt.Sprintf("person-%05d", i), team.AccountID(fmt.Sprint(1_000_000+i))
		s.Users[directory.UserID(logins[i])] = directory.User{ID: directory.UserID(logins[i]), Status: directory.Active, Accounts: map[string]string{"github": logins[i]}}
		in.Accounts = append(in.Accounts, team.Account{ID: ids[i], Login: logins[i]})
	}
	var wanted, current []string // as lines for comm
	for i := range teams {
		slug := fmt.Sprintf("team-%05d", i)
		g := directory.Group{ID: directory.GroupID(slug), Name: slug, ReadAt: now, Members: make([]directory.UserID, 0, members)}
		t := team.Team{ID: team.ID(fmt.Sprint(5_000_000 + i)), Slug: slug, Name: slug, Members: make([]team.Membership, 0, members)}
		rows, keys := make([]mapping.Entry, 0, members), []string{"corp/" + slug}
		for j := range members {
			p := (i*37 + j*101) % people
			g.Members = append(g.Members, directory.UserID(logins[p]))
			wanted = append(wanted, slug+" "+string(ids[p]))
			if (i*members+j)%1000 == 0 {
				continue // is to be added
			}
			t.Members = append(t.Members, team.Membership{Account: ids[p], Login: logins[p]})
			rows = append(rows, mapping.Entry{Account: ids[p], Origin: mapping.LedgerFound, Mappings: keys})
			current = append(current, slug+" "+string(ids[p]))
		}
		slices.Sort(g.Members)
		t.Sort()
		s.Groups[g.ID], in.Ledger[t.ID] = g, rows
		in.Teams = append(in.Teams, t)
		in.Mappings = append(in.Mappings, mapping.Mapping{ID: "file:" + slug, Origin: mapping.FromFile, Target: "octo", Team: slug, TeamID: t.ID, Source: "corp", Group: slug, GroupID: g.ID, Mode: mapping.Exclusive})
	}
	in.Ledger.Sort()
	yardstick, err := comm(wanted, current)
	if err != nil {
		return err
	}
	var links []link.Link
	for _, l := range link.Resolve(link.Input{Snapshots: []*directory.Snapshot{s}, Kind: "github", Accounts: in.Accounts, Complete: true, Now: now}).Links {
		links = append(links, l)
	}
	debug.FreeOSMemory() // what making the input has left behind is not ours
	input := resident("VmRSS")
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // begins the peak anew, where the system can

	stop, err := profile(profiles)
	if err != nil {
		return err
	}
	start := time.Now()
	in.Links = link.Resolve(link.Input{Snapshots: []*directory.Snapshot{s}, Kind: "github", Accounts: in.Accounts, Complete: true, Before: links, Now: now})
	linked := time.Since(start)
	result := mapping.Resolve(in)
	resolved := time.Since(start)
	p := plan.Compute("octo", result.Wanted, in.Teams)
	planned := time.Since(start)
	approved, _ := guard.Approve(p, guard.Facts{Now: now, Place: in.Place}, guard.All(guard.Settings{}), nil)
	total := time.Since(start)
	most := resident("VmHWM")
	if err := stop(); err != nil {
		return err
	}
	runtime.KeepAlive(in) // as a run holds them until its end
	runtime.KeepAlive(result)

	fmt.Fprintln(out, "deciding about 1,000,000 memberships in 10,000 teams, 1,000 of them new, reasons included   repeat: go run ./bench resolve")
	fmt.Fprintf(out, "  link %s, mapping %s, plan %s, guards %s: %s for %d approved changes\n", ms(linked), ms(resolved-linked), ms(planned-resolved), ms(total-planned), ms(total), approved.Plan().Summary().Add)
	fmt.Fprintf(out, "  %.1f × comm -3 on the same lists, sorted (%s)\n", float64(total)/float64(yardstick), ms(yardstick))
	fmt.Fprintf(out, "  resident at most %d MiB, of which the input %d MiB\n", most, input)
	return nil
}

// profile profiles from now on until stop, which writes cpu.pprof and, of what is in use then, heap.pprof. Without a directory it does nothing.
func profile(dir string) (stop func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	cpu, err := os.Create(filepath.Join(dir, "cpu.pprof")) //nolint:gosec // where whoever runs it says
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		heap, err := os.Create(filepath.Join(dir, "heap.pprof")) //nolint:gosec // likewise
		if err != nil {
			return err
		}
		runtime.GC() // what is in use is known as of the last collection
		return errors.Join(pprof.WriteHeapProfile(heap), heap.Close(), cpu.Close())
	}, nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// comm times comm -3 on the two lists in sorted files.
func comm(a, b []string) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "musterline-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	files := []string{filepath.Join(dir, "wanted"), filepath.Join(dir, "current")}
	for i, lines := range [][]string{a, b} {
		slices.Sort(lines)
		if err := os.WriteFile(files[i], []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	cmd := exec.CommandContext(context.Background(), "comm", "-3", files[0], files[1]) //nolint:gosec // our own files
	cmd.Env = append(os.Environ(), "LC_ALL=C")                                         // bytes, as we compare
	if _, err := cmd.Output(); err != nil {
		return 0, fmt.Errorf("comm: %w", err)
	}
	return time.Since(start), nil
}

// resident reads a figure of the process's memory in MiB; 0 where the system does not tell.
func resident(key string) int {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int
		if rest, ok := strings.CutPrefix(lines.Text(), key+":"); ok {
			if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%d kB", &kib); err == nil {
				return kib / 1024
			}
		}
	}
	return 0
}
