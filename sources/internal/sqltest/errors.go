package sqltest

import (
	"database/sql/driver"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Retries checks which errors of connecting are retried: network errors that all sources share, and those of one
// source.
func Retries(t *testing.T, worth func(error) bool, again, never map[string]error) {
	t.Helper()
	check := func(name string, err error, want bool) {
		if got := worth(err); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	check("refused", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, true)
	check("name server busy", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, true)
	check("no such host", &net.DNSError{Err: "no such host", IsNotFound: true}, false)
	check("something else", errors.New("odd"), false)
	for name, err := range again {
		check(name, err, true)
	}
	for name, err := range never {
		check(name, err, false)
	}
}

// Failure is an error of the driver, with the kind and the hint that the user gets.
type Failure struct {
	Err, Kind error
	Hint      string
}

// FailuresAre checks the errors that users get for errors of the driver; each begins with the text.
func FailuresAre(t *testing.T, fail func(error) error, begins string, cases map[string]Failure) {
	t.Helper()
	for name, tt := range cases {
		err := fail(tt.Err)
		IsOnly(t, name, err, tt.Kind)
		if hint := source.Hint(err); !strings.Contains(hint, tt.Hint) || !strings.HasPrefix(err.Error(), begins) {
			t.Errorf("%s: got %v, hint %q", name, err, hint)
		}
	}
}

// IDsDiffer checks that no two of the keys have the same id, and that the destination accepts every id.
func IDsDiffer(t *testing.T, id func([]driver.Value) string, keys ...[]driver.Value) {
	t.Helper()
	seen := map[string][]driver.Value{}
	for _, key := range keys {
		text := strings.Clone(id(key))
		if other, twice := seen[text]; twice {
			t.Errorf("%q and %q are both %s", key, other, text)
		}
		if len(text) > 512 {
			t.Errorf("the id of %.10q has %d bytes", key, len(text))
		}
		seen[text] = key
	}
}
