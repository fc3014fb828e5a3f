package githubapi

import (
	"fmt"
	"net/url"
	"strings"
)

// An Endpoint is where one GitHub answers.
type Endpoint struct {
	REST    *url.URL // ends in a slash
	GraphQL *url.URL
	// Host names the GitHub in keys and to people: "github.com", "acme.ghe.com", the host of a GHES with its port.
	Host string
}

// ParseEndpoint takes the address that GET {address}/orgs/{org} answers on and finds the rest beside it:
//
//	address                          GraphQL                              host
//	https://api.github.com           https://api.github.com/graphql       github.com
//	https://api.acme.ghe.com         https://api.acme.ghe.com/graphql     acme.ghe.com
//	https://git.acme.com/api/v3      https://git.acme.com/api/graphql     git.acme.com
//
// An address of any other form gets {address}/graphql.
func ParseEndpoint(address string) (Endpoint, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	switch {
	case err != nil || u.Host == "":
		return Endpoint{}, fmt.Errorf("the API address must be a URL such as https://api.github.com or https://git.example.com/api/v3")
	case u.Scheme != "https" && u.Scheme != "http":
		return Endpoint{}, fmt.Errorf("the API address must begin with https://")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Endpoint{}, fmt.Errorf("the API address must hold a host and a path, and nothing else: no user, no query")
	}
	rest, graphql := *u, *u
	rest.Path = u.Path + "/"
	if root, ok := strings.CutSuffix(u.Path, "/api/v3"); ok {
		graphql.Path = root + "/api/graphql"
	} else {
		graphql.Path = u.Path + "/graphql"
	}
	host := strings.ToLower(u.Host)
	switch name := strings.ToLower(u.Hostname()); {
	case name == "api.github.com":
		host = "github.com"
	case strings.HasPrefix(name, "api.") && strings.HasSuffix(name, ".ghe.com"):
		host = strings.TrimPrefix(host, "api.")
	}
	return Endpoint{REST: &rest, GraphQL: &graphql, Host: host}, nil
}

// owns reports whether an address from an answer lies on this GitHub, its web pages included. No other address is followed or shown.
func (e Endpoint) owns(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Scheme != e.REST.Scheme {
		return false
	}
	host := strings.ToLower(u.Host)
	return host == e.Host || host == strings.ToLower(e.REST.Host)
}
