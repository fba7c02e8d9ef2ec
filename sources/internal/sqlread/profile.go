package sqlread

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// Profile defines how documents and their fields are named.
//
//	Head    as current versions of Elastic's own connectors do
//	Seed87  as their version 8.7 did: other names, other ids
//	Native  our own: no two rows share an id, and columns keep their names
//
// Head and Seed87 exist so that an index that such a connector filled can be taken over.
type Profile uint8

// The profiles.
const (
	Head Profile = iota
	Seed87
	Native
)

// ProfileOf reads the configured profile; the default is Head.
func ProfileOf(env source.Env) (Profile, error) {
	names := []string{Head: "head", Seed87: "seed87", Native: "native"}
	if env.Profile == "" {
		return Head, nil
	}
	i := slices.Index(names, env.Profile)
	if i < 0 {
		return Head, form.ConfigError(fmt.Errorf("unknown profile %q", env.Profile), "choose one of "+strings.Join(names, ", "))
	}
	return Profile(i), nil
}

// Compatible reports whether values are written as Elastic's own connector writes them: whether the
// encoding is compat, not exact.
func Compatible(env source.Env) (bool, error) {
	switch env.Encoding {
	case "", "exact":
		return false, nil
	case "compat":
		return true, nil
	}
	return false, form.ConfigError(fmt.Errorf("unknown encoding %q", env.Encoding), "choose one of exact, compat")
}

// NativePrefix is the prefix of ids in the profile native: the source, then database, schemas
// and tables, whose names are joined by + if a query has several.
func NativePrefix(service string, lists ...[]string) string {
	b := []byte(service + ":")
	for _, names := range lists {
		for i, name := range names {
			if i > 0 {
				b = append(b, '+')
			}
			b = append(b, strings.ReplaceAll(string(AppendEscaped(nil, []byte(name))), "+", "%2B")...)
		}
		b = append(b, ':')
	}
	return string(b)
}

// AppendNative appends the value of the key's column i to an id of the profile native. NULL, which only a
// configured key can contain, is the escape of a byte that no value has.
func AppendNative(id []byte, i int, null bool, text []byte) []byte {
	if i > 0 {
		id = append(id, ':')
	}
	if null {
		return append(id, "%00"...)
	}
	return AppendEscaped(id, text)
}
