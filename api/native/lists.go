package native

import "github.com/danielgtaylor/huma/v2"

// The document says of lists that they are never null, because they are not: an empty one is [].
func init() { //nolint:gochecknoinits // huma keeps it in a variable of its package, and reads it whenever a type is described
	huma.DefaultArrayNullable = false
}
