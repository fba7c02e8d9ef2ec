package output

import (
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// A page shows at most this many characters before and after the place where two values differ, and within it.
const (
	contextRunes = 80
	differRunes  = 600
)

// marked is a value divided at the place where it differs from the other value.
type marked struct {
	absent             bool
	before, own, after string
}

// marks divides the old and the new value of a field.
func marks(f report.Field) (before, after marked) {
	a, b := compact(f.Old), compact(f.New)
	if a == nil || b == nil {
		return split(a, 0, len(a)), split(b, 0, len(b))
	}
	from := differAt(a, b)
	same := 0
	for same < len(a)-from && same < len(b)-from && a[len(a)-1-same] == b[len(b)-1-same] {
		same++
	}
	for same > 0 && !utf8.RuneStart(a[len(a)-same]) {
		same--
	}
	return split(a, from, len(a)-same), split(b, from, len(b)-same)
}

func split(value []byte, from, to int) marked {
	if value == nil {
		return marked{absent: true}
	}
	m := marked{before: lastRunes(value[:from], contextRunes), after: firstRunes(value[to:], contextRunes)}
	if own := value[from:to]; utf8.RuneCount(head(own, 5*differRunes)) > differRunes {
		m.own = firstRunes(own, differRunes/2) + lastRunes(own, differRunes/2)
	} else {
		m.own = string(own)
	}
	return m
}

// firstRunes is the beginning of a value, with an ellipsis if it is longer.
func firstRunes(value []byte, most int) string {
	end := 0
	for n := 0; n < most && end < len(value); n++ {
		_, size := utf8.DecodeRune(value[end:])
		end += size
	}
	if end < len(value) {
		return string(value[:end]) + "…"
	}
	return string(value)
}

// lastRunes is the end of a value, with an ellipsis if it is longer.
func lastRunes(value []byte, most int) string {
	start := len(value)
	for n := 0; n < most && start > 0; n++ {
		_, size := utf8.DecodeLastRune(value[:start])
		start -= size
	}
	if start > 0 {
		return "…" + string(value[start:])
	}
	return string(value)
}
