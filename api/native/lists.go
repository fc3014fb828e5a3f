package native

import (
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// neverNull lets the document say of lists that they are never null, because they are not: an empty one is []. huma keeps it in a variable of
// its package, and reads it whenever a type is described.
var neverNull = sync.OnceFunc(func() { huma.DefaultArrayNullable = false })
