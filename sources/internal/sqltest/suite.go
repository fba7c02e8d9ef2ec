package sqltest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
)

// The cases that apply to every SQL source. A test calls them with the data of its database.

// Refuse fails the test unless err has the kind, and its text and hint contain all of the words.
func Refuse(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	if err == nil || (kind != nil && !errors.Is(err, kind)) {
		t.Errorf("got error %v, want one of the kind %v", err, kind)
		return
	}
	text := err.Error() + "\n" + source.Hint(err)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

// IsOnly checks that an error has one kind and no other; nil is no kind.
func IsOnly(t testing.TB, what string, err, kind error) {
	t.Helper()
	for _, k := range []error{source.ErrConfig, source.ErrAuth, source.ErrUnreachable, source.ErrTemporary} {
		if errors.Is(err, k) != errors.Is(kind, k) {
			t.Errorf("%s: is %v: %t", what, k, errors.Is(err, k))
		}
	}
}

// Way is how an opened source connects to its server.
type Way struct {
	Source source.Source
	Dial   *Dial
	Pause  *func(context.Context, time.Duration) error
}

// CountDials counts the connections that the source opens; as many as refused fail first.
func (w Way) CountDials(refused int) (n *atomic.Int32) {
	*w.Dial, n = CountDials(*w.Dial, refused)
	return n
}

// CutAfter breaks every connection of the source after so many bytes, and counts the broken connections.
func (w Way) CutAfter(bytes int) (cuts *atomic.Int32) {
	*w.Dial, cuts = CutAfter(*w.Dial, bytes)
	return cuts
}

// NoPauses lets the source continue at once instead of pausing, and counts the pauses.
func (w Way) NoPauses() (n *atomic.Int32) {
	*w.Pause, n = NoPauses()
	return n
}

// WrongPasswordIsTriedOnce checks that retries of a wrong password cannot lock an account. The source is opened with
// the password wrong-secret, and with several attempts.
func WrongPasswordIsTriedOnce(t *testing.T, w Way, words ...string) {
	t.Helper()
	dials, pauses := w.CountDials(0), w.NoPauses()
	err := w.Source.Ping(t.Context())
	Refuse(t, err, source.ErrAuth, words...)
	if strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("the password is in the error: %v", err)
	}
	if dials.Load() != 1 || pauses.Load() != 0 {
		t.Errorf("connected %d times with %d pauses, want once", dials.Load(), pauses.Load())
	}
}

// ConnectAgain checks that connecting is attempted as often as retry_count says. open opens the source with that
// value; each attempt opens so many connections.
func ConnectAgain(t *testing.T, open func(attempts int) Way, dials int, words ...string) {
	t.Helper()
	for _, tt := range []struct {
		attempts, refused int
		pauses            int32
		fails             bool
	}{
		{attempts: 3, refused: 2 * dials, pauses: 2},
		{attempts: 3, refused: 9, pauses: 2, fails: true},
		{attempts: 1, refused: 9, fails: true},
		{attempts: 0, refused: 9, fails: true},
	} {
		w := open(tt.attempts)
		w.CountDials(tt.refused)
		pauses := w.NoPauses()
		err := w.Source.Ping(t.Context())
		if tt.fails {
			Refuse(t, err, source.ErrUnreachable, append([]string{"connection refused"}, words...)...)
		} else if err != nil {
			t.Error(err)
		}
		if pauses.Load() != tt.pauses {
			t.Errorf("%+v: paused %d times", tt, pauses.Load())
		}
	}
}

// Changed is a configuration with some keys changed.
func Changed(values, change map[string]any) map[string]any {
	values = maps.Clone(values)
	maps.Copy(values, change)
	return values
}

// FieldsAre checks the keys of a type against those of the connector protocol: their order in the form, and values of
// each that are refused. plain is a complete configuration.
func FieldsAre(t *testing.T, typ *source.Type, plain func(map[string]any) map[string]any, order map[string]int, refused map[string][]any) {
	t.Helper()
	if err := field.Check(typ.Fields); err != nil {
		t.Error(err)
	}
	got := map[string]int{}
	for _, f := range typ.Fields {
		got[f.Name] = f.Order
	}
	if diff := cmp.Diff(order, got); diff != "" {
		t.Error(diff)
	}
	for key, values := range refused {
		for _, value := range values {
			if _, err := field.Parse(typ.Fields, plain(map[string]any{key: value})); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s %v: got %v", key, value, err)
			}
		}
	}
}

// Refusal is an invalid configuration: the changed keys, and the expected message.
type Refusal struct {
	Set  map[string]any
	Env  source.Env
	Says []string
}

// OpenRefuses checks that invalid configurations are refused before anything connects: those that all sources refuse,
// and the source's own. Every profile and encoding of the type is accepted.
func OpenRefuses(t *testing.T, typ *source.Type, plain func(map[string]any) map[string]any, own map[string]Refusal) {
	t.Helper()
	cases := map[string]Refusal{
		"blank tables": {Set: map[string]any{"tables": []any{" ", ""}}, Says: []string{"tables names no table"}},
		"a profile":    {Env: source.Env{Profile: "tail"}, Says: []string{`unknown profile "tail"`, "head, seed87, native"}},
		"an encoding":  {Env: source.Env{Encoding: "lossy"}, Says: []string{`unknown encoding "lossy"`, "exact, compat"}},
		"rules":        {Env: source.Env{AdvancedRules: "x"}, Says: []string{"advanced_rules: must be a list"}},
	}
	for _, name := range append([]string{"", "head"}, typ.Profiles...) {
		Open(t, typ, plain(nil), source.Env{Profile: name})
	}
	for _, name := range append([]string{"", "exact"}, typ.Encodings...) {
		Open(t, typ, plain(nil), source.Env{Encoding: name})
	}
	maps.Copy(cases, own)
	for name, tt := range cases {
		tt.Env.Log = slog.New(slog.DiscardHandler)
		_, err := typ.Open(t.Context(), Parse(t, typ, plain(tt.Set)), tt.Env)
		t.Run(name, func(t *testing.T) { Refuse(t, err, source.ErrConfig, tt.Says...) })
	}
}

// ScopeCase is a document and its scope; "" if it has none.
type ScopeCase struct {
	Fields map[string]any
	Want   string
}

// ScopesAre checks the scopes of documents.
func ScopesAre(t *testing.T, typ *source.Type, v field.Values, cases map[string]ScopeCase) {
	t.Helper()
	for name, tt := range cases {
		if got, ok := typ.ScopeOf(v, tt.Fields); got != tt.Want || ok != (tt.Want != "") {
			t.Errorf("%s: got %q, %t", name, got, ok)
		}
	}
}

// Profiles are the ways to name documents and their fields, each with an encoding.
var Profiles = []source.Env{{}, {Profile: "seed87", Encoding: "compat"}, {Profile: "native"}}

// lossAfter is how many bytes a server sends before its connection breaks: more than the description of a table, and
// less than the rows of the contract, which are 500 of up to 500 words.
const lossAfter = 100_000

// LossAfter is data behind a relay that breaks the connection after so many bytes, while rows are read.
func LossAfter(bytes int, values func(map[string]any) map[string]any) func(t *testing.T) sourcetest.Loss {
	return func(t *testing.T) sourcetest.Loss {
		t.Helper()
		plain := values(nil)
		r := sourcetest.NewRelay(t, net.JoinHostPort(fmt.Sprint(plain["host"]), fmt.Sprint(plain["port"])))
		return sourcetest.Loss{
			Values: values(map[string]any{"host": "127.0.0.1", "port": r.Port(), "retry_count": 3}),
			Break:  func() { r.BreakAfter(bytes) }, Lost: r.Lost,
		}
	}
}

// Contract runs the contract suite in the environments. config has what is specific to the source; values returns a
// configuration with some keys changed.
func Contract(t *testing.T, config sourcetest.Config, values func(map[string]any) map[string]any, environments []source.Env) {
	t.Helper()
	broken := map[string]sourcetest.Broken{}
	add := func(name string, kind error, set map[string]any) {
		broken[name] = sourcetest.Broken{Values: values(set), Kind: kind}
	}
	add("password", source.ErrAuth, map[string]any{"password": "wrong"})
	add("port", source.ErrUnreachable, map[string]any{"port": 1})
	add("host", source.ErrUnreachable, map[string]any{"host": "nosuch.invalid"})
	add("tables", source.ErrConfig, map[string]any{"tables": []any{" "}})
	add("pattern", source.ErrConfig, map[string]any{"tables": "a["})
	for _, f := range config.Type.Fields {
		switch f.Name {
		case "database":
			add("database", source.ErrConfig, map[string]any{"database": "nosuch"})
		case "schema":
			add("schema", source.ErrConfig, map[string]any{"schema": ","})
		case "ssl_ca":
			add("ssl_ca", source.ErrConfig, map[string]any{"ssl_enabled": true, "ssl_ca": "garbage"})
		}
	}
	maps.Copy(broken, config.Broken)
	config.Values, config.Broken, config.NoContent = func(*testing.T) map[string]any { return values(nil) }, broken, "a row is all fields"
	if config.Loss == nil {
		config.Loss = LossAfter(lossAfter, values)
	}
	for _, config.Env = range environments {
		config.Env.StallTimeout = Patience
		t.Run(config.Env.Profile+config.Env.Encoding, func(t *testing.T) { sourcetest.Run(t, config) })
	}
}
