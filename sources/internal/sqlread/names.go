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

// AppendEscaped appends text with its colons escaped.
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

// MaxID is the maximum length of an id in bytes.
const MaxID = 512

// Shorten replaces an id that is too long or invalid for the destination. In the other profiles the engine
// does that, as the connector protocol defines it.
func Shorten(id []byte) []byte {
	if len(id) <= MaxID && utf8.Valid(id) {
		return id
	}
	sum := sha256.Sum256(id)
	return hex.AppendEncode(append(id[:0], "h:"...), sum[:])
}

// MemberName is the name of a column as a member of an object. Elasticsearch would make a nested object of a
// name with a dot, which may conflict with another column, and refuses a blank name.
func MemberName(name string, number int) string {
	ink := func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsControl(r) }
	if !strings.ContainsFunc(name, ink) {
		return fmt.Sprintf("_col%d", number)
	}
	return strings.ReplaceAll(name, ".", "_")
}

// Renamed is a column whose field has another name than its profile defines; the name is "" if it has no field.
type Renamed struct{ Column, Field string }

// PortableFields changes the names of column fields to names that every index accepts, see
// [document.PortableFields], and returns those that it changed.
func PortableFields(columns, names []string, beside ...string) []Renamed {
	return renamed(columns, names, document.PortableFields(names, beside...))
}

// PortableMembers is [PortableFields] for names of members of one field.
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

// LogRenamed logs the fields whose names differ from those of their columns, and columns without a field.
func LogRenamed(log *slog.Logger, part string, renamed []Renamed) {
	for _, r := range renamed {
		if r.Field == "" {
			log.Warn("skipping a column whose name is that of a field of every document, as the encoding compat requires", "part", part, "column", r.Column)
			continue
		}
		log.Warn("renamed the field of a column: Elasticsearch refuses its name, or another field has it", "part", part, "column", r.Column, "field", r.Field)
	}
}
