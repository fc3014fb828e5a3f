package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"musterline.example/answer"
	"musterline.example/api/client"
	"musterline.example/setting"
)

// A server is whom a command asks in place of its own house.
type remote struct {
	url       string
	token     string
	tokenFile string
	caFile    string
}

// remoteFlags are the options that send a command's questions to a server.
func (c *cli) remoteFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&c.remote.url, "server", "", "ask this server, by its `URL` (also: MUSTERLINE_SERVER)")
	flags.StringVar(&c.remote.token, "token", "", "the `token` to show it (better: MUSTERLINE_TOKEN, or a file)")
	flags.StringVar(&c.remote.tokenFile, "token-file", "", "the `file` that holds the token (also: MUSTERLINE_TOKEN_FILE)")
	flags.StringVar(&c.remote.caFile, "ca-file", "", "trust the certificates in this `file` as well")
}

// server returns the server that is to be asked; nil when the command asks its own house.
func (c *cli) server() (*client.Client, error) {
	r := c.remote
	if r.url == "" {
		r.url = c.variable("MUSTERLINE_SERVER")
	}
	if r.url == "" {
		return nil, nil
	}
	if r.tokenFile == "" && r.token == "" && c.variable("MUSTERLINE_TOKEN") == "" {
		r.tokenFile = c.variable("MUSTERLINE_TOKEN_FILE")
	}
	switch {
	case r.token != "":
	case r.tokenFile != "":
		text, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return nil, answer.Errorf(answer.Failed, "read the token: %w", err)
		}
		r.token = strings.TrimSpace(string(text))
	default:
		r.token = c.variable("MUSTERLINE_TOKEN")
	}
	return client.New(client.Options{URL: r.url, Token: setting.Secret(r.token), CAFile: r.caFile, Agent: "musterline/" + version})
}

// keyring returns who gives out tokens, until close: a server, or the house. To make or to end one works beside a server that runs.
func (c *cli) keyring(ctx context.Context, who string) (answer.Keyring, func(), error) {
	server, err := c.server()
	if err != nil {
		return nil, nil, err
	}
	if server != nil {
		return server, func() {}, nil
	}
	h, err := c.house()
	if err != nil {
		return nil, nil, err
	}
	if who == "" {
		err = h.Look(ctx)
	} else {
		err = h.Beside(ctx, "musterline "+who)
	}
	if err != nil {
		return nil, nil, err
	}
	return h, h.Close, nil
}
