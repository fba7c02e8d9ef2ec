package output

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// absent stands for a missing field: a word that is not JSON.
const absent = "absent"

// compact is a value in as few characters as possible; nil for a missing field.
func compact(raw json.RawMessage) []byte {
	if raw == nil {
		return nil
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) == nil {
		return b.Bytes()
	}
	return raw
}

// differAt is the offset at which two values begin to differ, at the beginning of a character.
func differAt(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return n
}

// pair is the old and the new value of a field, each in at most that many columns. A longer value is shortened
// around the place where the two differ.
func pair(before, after json.RawMessage, oldWidth, newWidth int) (from, to string) {
	a, b := compact(before), compact(after)
	at := 0
	if a != nil && b != nil {
		at = differAt(a, b)
	}
	return around(a, at, oldWidth), around(b, at, newWidth)
}

// around is a value in at most that many columns, with the place at that offset.
func around(value []byte, at, width int) string {
	if value == nil {
		return absent
	}
	most := 8 * max(width, longestValue) // bytes that can matter; a value may have megabytes
	rest := term.Plain(string(head(value[at:], most)))
	if at <= most {
		if whole := term.Plain(string(value[:at])) + rest; at+most >= len(value) && term.Columns(whole) <= width {
			return whole
		}
	}
	lead := max(width/3, width-1-term.Columns(rest)) // columns before the place
	start := at
	for start > 0 {
		_, size := utf8.DecodeLastRune(value[:start])
		if lead -= term.Columns(term.Plain(string(value[start-size : start]))); lead < 0 {
			break
		}
		start -= size
	}
	text := term.Plain(string(value[start:at])) + rest
	if start > 0 {
		text = "…" + text
	}
	if at+most < len(value) {
		text += "…"
	}
	return term.Shorten(text, width)
}

// head is the beginning of a value, in complete characters.
func head(value []byte, most int) []byte {
	if len(value) <= most {
		return value
	}
	for most > 0 && !utf8.RuneStart(value[most]) {
		most--
	}
	return value[:most]
}
