package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  musterline version",
		Args:    arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(c.stdout, "musterline %s (%s, %s/%s)\n", builtAs(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// builtAs is the version that the linker was told, else the commit that the toolchain has noted.
func builtAs() string {
	info, ok := debug.ReadBuildInfo()
	if version != "unknown" || !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) > 12 {
			return s.Value[:12]
		}
	}
	return version
}
