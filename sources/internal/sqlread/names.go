package sqlread

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// AppendEscaped appends text in which a colon separates nothing.
func AppendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case ':':
			dst = append(dst, "%3A"...)
		case '%':
			dst = append(dst, "%25"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// MaxID is how many bytes an id may have.
const MaxID = 512

// Shorten replaces an id that the destination would not take. Of the other profiles that is left to
// the engine, which does it as the connector protocol says.
func Shorten(id []byte) []byte {
	if len(id) <= MaxID && utf8.Valid(id) {
		return id
	}
	sum := sha256.Sum256(id)
	return hex.AppendEncode(append(id[:0], "h:"...), sum[:])
}

// MemberName is the name of a column in an object. Elasticsearch would make another object of a dot,
// which may clash with a column, and refuses a name of blanks.
func MemberName(name string, number int) string {
	ink := func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsControl(r) }
	if !strings.ContainsFunc(name, ink) {
		return fmt.Sprintf("_col%d", number)
	}
	return strings.ReplaceAll(name, ".", "_")
}

// Renamed is a column whose field does not have the name that the profile gives it.
type Renamed struct{ Column, Field string }

// PortableFields changes the names of the fields of columns to such as every index takes, see
// [document.PortableFields], and returns those that it changed.
func PortableFields(columns, names []string, beside ...string) []Renamed {
	return renamed(columns, names, document.PortableFields(names, beside...))
}

// PortableMembers is [PortableFields] for names that are the members of one field.
func PortableMembers(columns, names []string) []Renamed {
	return renamed(columns, names, document.PortableNames(names))
}

func renamed(columns, names, portable []string) (all []Renamed) {
	for i, name := range portable {
		if name != names[i] {
			names[i] = name
			all = append(all, Renamed{Column: columns[i], Field: name})
		}
	}
	return all
}

// LogRenamed says which fields have other names than their columns call for.
func LogRenamed(log *slog.Logger, part string, renamed []Renamed) {
	for _, r := range renamed {
		log.Warn("renamed the field of a column: Elasticsearch refuses its name, or another field has it", "part", part, "column", r.Column, "field", r.Field)
	}
}
