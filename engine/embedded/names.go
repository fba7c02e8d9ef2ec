package embedded

import (
	"bytes"
	"fmt"
	"unicode"
)

// checkName refuses invalid field names.
func (f *fitter) checkName(at *field, key []byte, name int) {
	switch {
	case len(key) == 0:
		f.err = f.illegal(name, "field name cannot be an empty string")
	case isBlank(key):
		f.err = f.parsing(name, "Field name cannot contain only whitespace: [%s]", under(at.path, string(key)))
	case bytes.IndexByte(key, '.') >= 0:
		f.checkParts(key, name)
	}
}

func (f *fitter) checkParts(key []byte, name int) {
	parts := bytes.Split(bytes.TrimRight(key, "."), []byte{'.'})
	for _, part := range parts {
		switch {
		case len(parts) == 1 && len(part) == 0:
			f.err = f.illegal(name, "field name cannot contain only dots")
		case len(part) == 0:
			f.err = f.illegal(name, fmt.Sprintf("field name cannot contain only whitespace: ['%s']", key))
		case isBlank(part):
			f.err = f.illegal(name, fmt.Sprintf("field name starting or ending with a [.] makes object resolution ambiguous: [%s]", key))
		}
		if f.err != nil {
			return
		}
	}
}

// isBlank is Java's: non-breaking spaces do not count.
func isBlank(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool {
		switch {
		case r == '\u00a0', r == '\u2007', r == '\u202f':
			return true
		case r >= 0x1c && r <= 0x1f, r >= '\t' && r <= '\r':
			return false
		}
		return !unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp)
	}) < 0
}

// isMetadata recognizes names of metadata, which no document may have at its root.
func isMetadata(key []byte) bool {
	switch string(key) {
	case "_id", "_index", "_routing", "_source", "_seq_no", "_version", "_field_names", "_ignored",
		"_nested_path", "_data_stream_timestamp", "_ignored_source", "_index_mode":
		return true
	}
	return false
}

// metadata is a field that accepts no value.
func metadata(name string) *field {
	never := func([]byte) (value, verdict) { return value{}, malformed }
	return &field{path: name, def: map[string]any{"type": name}, never: true, typ: &fieldType{name: "metadata", read: never, lenient: true}}
}
