package sqlread

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// TestRecord fills one record twice: nothing of the row before may be left.
func TestRecord(t *testing.T) {
	t.Parallel()
	fixed := []document.Field{{Name: "table", Value: document.String("t")}}
	for nested, want := range map[bool][2]string{
		false: {
			`{"table":"t","a":1,"b":null,"_conversion_notes":["b: lost"]}`,
			`{"table":"t","a":2,"b":"x"}`,
		},
		true: {
			`{"table":"t","key":{"b":null},"row":{"a":1,"b":null},"_conversion_notes":["row.b: lost"]}`,
			`{"table":"t","key":{"b":"x"},"row":{"a":2,"b":"x"}}`,
		},
	} {
		r := NewRecord(fixed, []string{"a", "b"}, []int{1, 1}, nested)
		r.Begin()
		r.Set(0, document.Int(1), "")
		r.Set(1, document.Null(), "lost")
		first := textOf(r)
		r.Begin()
		r.Set(0, document.Int(2), "")
		r.Set(1, document.String("x"), "")
		if diff := cmp.Diff(want, [2]string{first, textOf(r)}); diff != "" {
			t.Error(diff)
		}
	}
}

func textOf(r *Record) string {
	out := document.AppendFields(nil, &document.Document{ID: "1", Fields: r.Fields()})
	return "{" + strings.TrimPrefix(string(out), `{"id":"1",`) + "}"
}

func TestNotesAreFew(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprint("c", i))
	}
	r := NewRecord(nil, names, nil, false)
	r.Begin()
	for i := range names {
		r.Set(i, document.Null(), "lost")
	}
	if n := strings.Count(textOf(r), "lost"); n != 20 {
		t.Errorf("%d notes", n)
	}
}
