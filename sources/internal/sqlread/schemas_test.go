package sqlread

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSchemas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		want  SchemaList
		fails string
	}{
		{"public", SchemaList{"public"}, ""},
		{" a , b,a,", SchemaList{"a", "b"}, ""},
		{"*", nil, ""},
		{"a,*", nil, ""},
		{`"a,b", c`, SchemaList{"a,b", "c"}, ""},
		{`"a""b"`, SchemaList{`a"b`}, ""},
		{`We"ird`, SchemaList{`We"ird`}, ""},
		{"", nil, "empty"},
		{" ", nil, "empty"},
		{",", nil, "missing"},
		{`"a`, nil, "closing quote"},
		{`"a"b`, nil, "follows a name"},
	} {
		got, err := Double.ParseSchemas(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != (tt.fails != "") {
			t.Errorf("%q: %v %s", tt.in, err, diff)
		}
		if err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%q: got %v, want %s", tt.in, err, tt.fails)
		}
	}
}

func TestSchemasInBrackets(t *testing.T) {
	t.Parallel()
	got, err := Bracket.ParseSchemas("dbo, [x.y], [a,b]")
	if diff := cmp.Diff(SchemaList{"dbo", "x.y", "a,b"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
