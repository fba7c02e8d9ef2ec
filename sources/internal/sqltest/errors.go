package sqltest

import (
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

// NativeIDsDiffer checks that no two keys of two text columns have the same id in the profile native, and that the
// destination accepts every id. The keys would share one if their values were only joined. id is the id of a row whose
// values are texts or nil.
func NativeIDsDiffer(t *testing.T, id func(a, b any) string) {
	t.Helper()
	long := strings.Repeat("x", 600)
	seen := map[string][2]any{}
	for _, key := range [][2]any{
		{"a", "b"},
		{"a:b", "c"},
		{"a", "b:c"},
		{"a_b", "c"},
		{"a", "b_c"},
		{"a:b", ""},
		{"a", ":b"},
		{"", "a:b"},
		{":", ""},
		{"", ":"},
		{"", ""},
		{"a", ""},
		{"a", nil},
		{nil, "a"},
		{nil, ""},
		{"", nil},
		{nil, nil},
		{"a", "%00"},
		{"a", "\x00"},
		{"%00", ""},
		{"%3A", ""},
		{"%25", ""},
		{"%", "25"},
		{"a%3Ab", ""},
		{"a%3Ab", "c"},
		{long, "a"},
		{long, "b"},
		{long, ":a"},
		{long + ":", "a"},
		{"\xff", ""},
		{"\xfe", ""},
		{"\xff", "a"},
		{"\xfe", "a"},
	} {
		text := strings.Clone(id(key[0], key[1]))
		if other, twice := seen[text]; twice {
			t.Errorf("%q and %q are both %s", key, other, text)
		}
		if len(text) > 512 {
			t.Errorf("the id of %.10q has %d bytes", key, len(text))
		}
		seen[text] = key
	}
}
