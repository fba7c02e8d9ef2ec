package sqlread

import "testing"

func TestDotted(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"a", "b"},
		{"a.b", "c"},
		{"a", "b.c"},
		{"a", "b", "c"},
		{`"a"`, "b"},
		{"", "a"},
		{"a", ""},
		{`a"`, "b"},
		{"a b", "c"},
	} {
		name := Double.Dotted(parts...)
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q are both %s", parts, other, name)
		}
		seen[name] = parts
	}
	if got := Double.Dotted("public", "orders"); got != "public.orders" {
		t.Errorf("got %s", got)
	}
	if got := Double.Table(`a"b`, "c"); got != `"a""b"."c"` {
		t.Errorf("got %s", got)
	}
}
