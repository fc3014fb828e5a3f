// Package e2e uses the console as people do: a real browser on the real program, with a simulated GitHub and a real directory
// server behind it.
//
//	go test ./e2e -shots "$PWD/pages"    also keeps a picture of every page, light, dark and narrow
//
// MUSTERLINE_PROGRAM names a program that is built already; without, the tests build one.
package e2e
