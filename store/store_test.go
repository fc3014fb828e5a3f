package store_test

import (
	"testing"

	"musterline.example/internal/secret"
	"musterline.example/store"
)

func TestOpens(t *testing.T) {
	k, _ := secret.New()
	s, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/m.db", store.Options{Key: k, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := s.Verify(t.Context()); err != nil {
		t.Fatal(err)
	} else {
		t.Log(v)
	}
	if err := s.Shut(); err != nil {
		t.Fatal(err)
	}
}
