package document

import "unicode/utf8"

// TextSize is the number of bytes that [AppendString] writes for s.
func TextSize(s string) int64 {
	n := int64(2)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case plain[c]:
			n++
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(s[i:])
			n += int64(utf8.RuneLen(r)) // U+FFFD is longer than the invalid byte that it replaces
			i += size - 1
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n += 2
		default:
			n += 6
		}
	}
	return n
}

// Size is approximately the number of bytes that [AppendSource] writes for the document without its content.
func Size(doc *Document) int64 {
	n := int64(128 + len(doc.ID))
	for i := range doc.Fields {
		n += int64(len(doc.Fields[i].Name)) + int64(len(doc.Fields[i].Value.AppendJSON(nil))) + 4
	}
	return n
}
