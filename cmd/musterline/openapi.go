package main

import (
	"github.com/spf13/cobra"

	"musterline.example/api/native"
)

func (c *cli) openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "openapi",
		Short:   "Print the OpenAPI document of the server's own API",
		Long:    "Print the OpenAPI 3.1 document of Musterline's own API.\nA server has it at " + native.Prefix + "/openapi.json.",
		Example: "  musterline openapi > musterline.openapi.json",
		Args:    arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			text, err := native.New(native.Options{Version: version}).OpenAPI()
			if err == nil {
				_, err = c.stdout.Write(append(text, '\n'))
			}
			return err
		},
	}
}
