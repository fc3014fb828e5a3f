// Package request is what every room of the server knows of the request that it answers: its id, the address that the caller used, and
// where it came from. It reads nothing; package api fills it in.
package request

import (
	"context"
	"net/netip"
)

// Info is what is known of a request before any room sees it.
type Info struct {
	ID   string     // for logs and answers
	Base string     // scheme and host as the caller wrote them: "https://musterline.example.com"
	From netip.Addr // where it came from, past the proxies that are trusted

	// What the room that answers adds, for the log. A name, never a credential.
	Route string
	Who   string
}

type key struct{}

// With returns a context that carries the info.
func With(ctx context.Context, i *Info) context.Context { return context.WithValue(ctx, key{}, i) }

// Of returns the info of a request; an empty one outside of the server.
func Of(ctx context.Context) *Info {
	if i, ok := ctx.Value(key{}).(*Info); ok {
		return i
	}
	return &Info{}
}
