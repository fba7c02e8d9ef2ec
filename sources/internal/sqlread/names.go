package sqlread

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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

// Number tells equal names apart: the later one gets a number, which no other's own name takes away.
func Number(names []string) (renamed string) {
	own, used := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		own[name] = true
	}
	for i, name := range names {
		for n := 2; used[names[i]]; n++ {
			if try := name + "_" + strconv.Itoa(n); !own[try] {
				names[i] = try
			}
		}
		used[names[i]] = true
		if names[i] != name {
			renamed = names[i]
		}
	}
	return renamed
}
