package main

import (
	"github.com/spf13/cobra"

	"musterline.example/answer"
)

func (c *cli) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of a shell",
		Example: `  musterline completion bash > /etc/bash_completion.d/musterline
  musterline completion zsh > "${fpath[1]}/_musterline"
  musterline completion fish > ~/.config/fish/completions/musterline.fish`,
		Args:      arguments(1, 1, "a shell: bash, zsh, fish or powershell"),
		ValidArgs: shells,
		RunE: func(command *cobra.Command, args []string) error {
			if err := answer.OneOf("shell", args[0], shells); err != nil {
				return err
			}
			root := command.Root()
			return map[string]func() error{
				"bash":       func() error { return root.GenBashCompletionV2(c.stdout, true) },
				"zsh":        func() error { return root.GenZshCompletion(c.stdout) },
				"fish":       func() error { return root.GenFishCompletion(c.stdout, true) },
				"powershell": func() error { return root.GenPowerShellCompletionWithDesc(c.stdout) },
			}[args[0]]()
		},
	}
}
