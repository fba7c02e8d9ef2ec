package objects

import (
	"testing"
	"time"
)

// For the benchmark in package objects_test, which uses objectstest, as that imports this package.
var (
	Numbered = numbered
	Hashed   = hashed
)

// NewSlow is a source of one bucket with sorted keys, each page of which takes some time.
func NewSlow(t testing.TB, keys []string, page int, latency time.Duration) *Source {
	t.Helper()
	return newSource(t, &fake{keys: map[string][]string{"b": keys}, page: page, latency: latency}, "b")
}
