package sqlread

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// Profile is a way to name documents and their fields.
//
//	Head    what Elastic's own connectors do now
//	Seed87  what they did in their version 8.7: other names, other ids
//	Native  ours: no two rows share an id, and columns keep their names
//
// Head and Seed87 are there so that an index which such a connector filled goes on being the same.
type Profile uint8

// The profiles.
const (
	Head Profile = iota
	Seed87
	Native
)

// ProfileOf reads the configured profile; none is Head.
func ProfileOf(env source.Env) (Profile, error) {
	names := []string{Head: "head", Seed87: "seed87", Native: "native"}
	if env.Profile == "" {
		return Head, nil
	}
	i := slices.Index(names, env.Profile)
	if i < 0 {
		return Head, form.ConfigError(fmt.Errorf("profile %q is not known", env.Profile), "choose one of "+strings.Join(names, ", "))
	}
	return Profile(i), nil
}

// Compatible reports whether values are to be as Elastic's own connector writes them: whether the
// encoding is compat, not exact.
func Compatible(env source.Env) (bool, error) {
	switch env.Encoding {
	case "", "exact":
		return false, nil
	case "compat":
		return true, nil
	}
	return false, form.ConfigError(fmt.Errorf("encoding %q is not known", env.Encoding), "choose one of exact, compat")
}

// NativePrefix is what the ids of the profile native begin with: the source, and then database, schemas
// and tables, whose names are joined by + where a query has several.
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
// configured key can hold, is the escape of a byte that no value has.
func AppendNative(id []byte, i int, null bool, text []byte) []byte {
	if i > 0 {
		id = append(id, ':')
	}
	if null {
		return append(id, "%00"...)
	}
	return AppendEscaped(id, text)
}
