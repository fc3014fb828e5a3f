// Package soak holds the long suites: random worlds with random faults, kill -9 in the middle of an apply, and five years in the life of an
// organization. `make soak` runs them in full and prints the tally that docs/soak.md shows; `go test ./...` runs a seeded sample.
//
// There is nothing here but tests. They drive the engine and the real binary against internal/githubsim, and judge them by an account of the
// world that is kept without a look at the engine (truth_test.go).
package soak
