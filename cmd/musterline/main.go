// Command musterline keeps the teams of GitHub organizations in line with the groups of an identity provider.
//
// Every command is a file named for its act: it reads its words, asks one question of package answer, and hands what comes back to package
// view. Read sync.go first, then open.go, which finds somebody to ask.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/cmd/musterline/view"
	"musterline.example/config"
	"musterline.example/setting"
)

// version is set by the linker.
var version = "unknown"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// Exit codes. A program may rely on them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitChanges  = 2  // plan --detailed-exitcode: there are changes and no objections
	exitObjected = 3  // --detailed-exitcode: guards object
	exitUsage    = 64 // the command line is wrong; as in sysexits.h
)

// run carries out one command line and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) (string, bool)) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once: the audit record knows what was under way
	return (&cli{stdin: stdin, stdout: stdout, stderr: stderr, env: env, now: time.Now}).run(ctx, args)
}

// A cli is one command line: where it reads and writes, and what the options that all commands share say.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	now            func() time.Time

	// between stands between a command and whom it asks. Tests put a network there; it is nil for nobody.
	between func(answer.Desk) answer.Desk

	config  string
	remote  remote
	noColor bool
	verbose bool
	code    int // of a command that returned no error
}

func (c *cli) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return c.code
	}
	c.explain(command, err)
	if wrongWords(answer.ErrorOf(err)) {
		return exitUsage
	}
	return exitFailed
}

// The groups of commands in the order of the help.
const (
	groupSync  = "sync"
	groupKeep  = "keep"
	groupLook  = "look"
	groupOther = "other"
)

// usageTemplate is cobra's own with flags wrapped at 80 columns, and the options that all commands share on one line.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{if .HasParent}}{{.UseLine}}
  {{end}}{{.CommandPath}} [command]{{else}}{{.UseLine}}{{end}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{$all := .Commands}}{{if .HasAvailableSubCommands}}{{if .Groups}}{{range $group := .Groups}}
{{.Title}}{{range $all}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{else}}
Commands:{{range $all}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{end}}{{if .HasAvailableLocalFlags}}
Options:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Options of all commands:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{end}}`

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "musterline",
		Short: "Keeps GitHub teams in line with the groups of your identity provider",
		Long: `Musterline keeps GitHub teams in line with the groups of your identity provider.

It shows a plan before anything changes, guards stop what looks dangerous until
somebody approves it by name, and it can always say why somebody is in a team.`,
		Example: `  musterline demo                  see it work: no account, no network
  musterline check                 is everything in order and reachable?
  musterline plan                  what would change, and why
  musterline sync                  change it, within the guards
  musterline why ada platform      why is she in this team?`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(root *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return answer.Usagef("there is no command %q%s", args[0], setting.DidYouMean(args[0], commandNames(root)))
		},
		RunE: func(root *cobra.Command, _ []string) error { return root.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	cobra.EnableCommandSorting = false // they stand in the order in which one needs them
	root.PersistentFlags().StringVar(&c.config, "config", "", "configuration `file` (default "+strings.Join(config.Places, ", else ")+")")
	c.remoteFlags(root)
	root.PersistentFlags().BoolVar(&c.noColor, "no-color", false, "no colours (also: NO_COLOR in the environment)")
	root.PersistentFlags().BoolVarP(&c.verbose, "verbose", "v", false, "log what is being done to standard error")
	root.PersistentFlags().BoolP("help", "h", false, "help for this command")
	root.AddGroup(
		&cobra.Group{ID: groupSync, Title: "Plan and sync:"},
		&cobra.Group{ID: groupKeep, Title: "Decide:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupOther, Title: "Other:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, command := range commands {
			command.GroupID = group
			root.AddCommand(command)
		}
	}
	add(groupSync, c.planCommand(), c.applyCommand(), c.syncCommand(), c.serveCommand())
	add(groupKeep, c.approveCommand(), c.pauseCommand(), c.resumeCommand(), c.undoCommand(), c.linkCommand(), c.tokenCommand(), c.signInCommand())
	add(groupLook, c.checkCommand(), c.statusCommand(), c.whyCommand(), c.groupsCommand(), c.teamsCommand(), c.auditCommand())
	add(groupOther, c.demoCommand(), c.openapiCommand(), c.versionCommand(), c.completionCommand())
	root.SetHelpCommandGroupID(groupOther)
	return root
}

func commandNames(parent *cobra.Command) []string {
	var names []string
	for _, command := range parent.Commands() {
		if !command.Hidden {
			names = append(names, command.Name())
		}
	}
	return names
}

// screen is standard output as views write on it.
func (c *cli) screen() view.Screen { return c.screenOn(c.stdout) }

// page is where a command shows what it does: standard output, or standard error when that is for a program to read.
func (c *cli) page(asJSON bool) view.Screen {
	if !asJSON {
		return c.screen()
	}
	s := c.screenOn(c.stderr)
	s.Live = false
	return s
}

// tell prints an answer: as JSON, or in words on the screen.
func tell[T any](c *cli, asJSON bool, value T, text func(s view.Screen, value T)) error {
	if asJSON {
		return view.WriteJSON(c.stdout, value)
	}
	text(c.screen(), value)
	return nil
}

func (c *cli) screenOn(w io.Writer) view.Screen {
	s := view.Screen{Out: w, Width: 80}
	file, ok := w.(*os.File)
	if ok && term.IsTerminal(file.Fd()) {
		s.Live, s.Colour = true, !c.noColor && c.variable("NO_COLOR") == "" && c.variable("TERM") != "dumb"
		if width, _, err := term.GetSize(file.Fd()); err == nil && width > 0 {
			s.Width = width
		}
	}
	if width, err := strconv.Atoi(c.variable("COLUMNS")); err == nil && width > 0 {
		s.Width = width
	}
	return s
}

// asks reports whether there is a person to ask.
func (c *cli) asks() bool {
	file, ok := c.stdin.(*os.File)
	return ok && term.IsTerminal(file.Fd())
}

func (c *cli) variable(name string) string {
	value, _ := c.env(name)
	return value
}

// person is who gives the command, for the audit: --by, else the user of the operating system, and who stands behind sudo.
func (c *cli) person(by string) string {
	if by != "" {
		return by
	}
	if name := c.variable("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "somebody"
}

// canAsk is the refusal of a command that would have to ask where nobody can answer.
func (c *cli) canAsk(yes bool) error {
	if yes || c.asks() {
		return nil
	}
	return answer.Usagef("this asks before it acts, and standard input is no terminal").WithHint("to answer yes beforehand, add --yes")
}

// confirm asks for a yes. Without a terminal nobody can answer, and to go on would be a guess.
func (c *cli) confirm(s view.Screen, yes bool, question string) error {
	if yes {
		return nil
	}
	if err := c.canAsk(yes); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s Only yes is taken for yes: ", question)
	said := make([]byte, 0, 8)
	for one := make([]byte, 1); ; {
		n, err := c.stdin.Read(one)
		if n == 1 && one[0] != '\n' && len(said) < 64 {
			said = append(said, one[0])
		}
		if err != nil || n == 1 && one[0] == '\n' {
			break
		}
	}
	if strings.TrimSpace(string(said)) != "yes" {
		return answer.Errorf(answer.Stopped, "nothing was done: the answer was not yes")
	}
	return nil
}
