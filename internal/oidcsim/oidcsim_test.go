package oidcsim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"musterline.example/internal/oidcsim"
)

// A client that is not ours finds everything, verifies the token, and learns who somebody is.
func TestAClientLearnsWhoSomebodyIs(t *testing.T) {
	var p *oidcsim.Provider
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	defer web.Close()
	var err error
	p, err = oidcsim.New(oidcsim.Options{
		Issuer: web.URL, ClientID: "musterline", Secret: "s3cret +/", Callback: "http://console.example/login",
		People: []oidcsim.Person{{Subject: "ada", Name: "Ada Lovelace", Login: "ada", Email: "ada@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := oidc.NewProvider(t.Context(), web.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := oauth2.Config{ClientID: "musterline", ClientSecret: "s3cret +/", Endpoint: found.Endpoint(), RedirectURL: "http://console.example/login/oidc/callback", Scopes: []string{"openid"}}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	verifier := oauth2.GenerateVerifier()
	code := func(person string) string {
		t.Helper()
		resp, err := browser.PostForm(c.AuthCodeURL("xyz", oauth2.S256ChallengeOption(verifier), oidc.Nonce("once")), url.Values{"person": {person}})
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		back, err := resp.Location()
		if err != nil || back.Query().Get("state") != "xyz" {
			t.Fatalf("sent to %v: %v", back, err)
		}
		return back.Query().Get("code")
	}
	if got := code("nobody"); got != "" {
		t.Error("nobody has got a code")
	}
	if _, err := c.Exchange(context.Background(), code("ada"), oauth2.VerifierOption("another")); err == nil {
		t.Error("a code was changed by who did not begin")
	}
	used := code("ada")
	token, err := c.Exchange(context.Background(), used, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exchange(context.Background(), used, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code is good twice")
	}
	text, _ := token.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: "musterline"}).Verify(t.Context(), text)
	if err != nil || id.Subject != "ada" || id.Nonce != "once" {
		t.Fatalf("%+v: %v", id, err)
	}
	p.Stop(true)
	if _, err := oidc.NewProvider(t.Context(), web.URL); err == nil {
		t.Error("it answers though it is down")
	}
}
