package document

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPortableNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule     string
		in, want []string
	}{
		{"what an index takes stays", []string{"a", "A", "a b", " a ", "_a", "b.c", "b.d.e", "ž", "a*,/\\\"#"}, []string{"a", "A", "a b", " a ", "_a", "b.c", "b.d.e", "ž", "a*,/\\\"#"}},
		{"no names", nil, nil},
		{"empty", []string{""}, []string{"_"}},
		{"blank", []string{" ", "\t", "\u2003", "\u00a0", "\x00"}, []string{"_", "__2", "__3", "__4", "__5"}},
		{"only dots", []string{".", "..", "..."}, []string{"_", "__", "___"}},
		{"a dot at the beginning", []string{".a"}, []string{"_a"}},
		{"a dot at the end", []string{"a."}, []string{"a_"}},
		{"two dots together", []string{"a..b"}, []string{"a__b"}},
		{"blank between dots", []string{"a. .b", "a. ", "\t.b"}, []string{"a_ _b", "a_ ", "\t_b"}},
		{"a value beside an object", []string{"x", "x.y"}, []string{"x", "x_y"}},
		{"in any order", []string{"x.y", "x"}, []string{"x_y", "x"}},
		{"at any depth", []string{"x.y", "x.y.z", "x"}, []string{"x_y", "x_y_z", "x"}},
		{"a value beside a deeper object", []string{"x.y", "x.y.z"}, []string{"x.y", "x_y_z"}},
		{"an object of several members", []string{"x.y", "x.z"}, []string{"x.y", "x.z"}},
		{"equal names", []string{"a", "a", "a"}, []string{"a", "a_2", "a_3"}},
		{"equal paths", []string{"x.y", "x.y"}, []string{"x.y", "x.y_2"}},
		{"a number that is another's own name", []string{"a", "a", "a_2"}, []string{"a", "a_3", "a_2"}},
		{"a name that is another's own", []string{"a.", "a_"}, []string{"a__2", "a_"}},
		{"a name that is an object of another", []string{"a", "a.b", "a_b.c"}, []string{"a", "a_b_2", "a_b.c"}},
		{"a number that is an object of another", []string{"a", "a", "a_2.b"}, []string{"a", "a_3", "a_2.b"}},
		{"bytes that are no UTF-8", []string{"a\xff", "a\xfe"}, []string{"a\uFFFD", "a\uFFFD_2"}},
	} {
		got := PortableNames(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.rule, diff)
		}
	}
}

func TestPortableFields(t *testing.T) {
	t.Parallel()
	got := PortableFields([]string{"id", "id.x", "_id.x", "_source.y", "Table", "Table.x", "table.x", "_timestamp.z", "row.id.x"}, "Table", "_notes")
	want := []string{"id", "id_x", "_id_x", "_source_y", "Table", "Table_x", "table.x", "_timestamp_z", "row.id.x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPortableNamesKeepTheirPromises tries lists of short names over letters that mean something.
func TestPortableNamesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	letters := []string{"a", "b", ".", ".", " ", "_", "_2", "_3", "\xff", "\uFFFD", "\t"}
	for range 20000 {
		in := make([]string, random.IntN(7))
		for i := range in {
			for range random.IntN(6) {
				in[i] += letters[random.IntN(len(letters))]
			}
		}
		got := PortableNames(in)
		if problem := unportable(in, got); problem != "" {
			t.Fatalf("seed %d: %q became %q: %s", seed, in, got, problem)
		}
	}
}

// unportable says which promise is broken.
func unportable(in, got []string) string {
	written := func(name string) string { return string(AppendString(nil, name)) }
	for i, name := range got {
		for part := range strings.SplitSeq(name, ".") {
			if strings.TrimSpace(part) == "" {
				return "a name is refused"
			}
		}
		for k, other := range got {
			if i != k && (written(name) == written(other) || strings.HasPrefix(name, other+".")) {
				return "two names are refused together"
			}
		}
		alone := PortableNames([]string{in[i]})[0] == in[i]
		clashes := func(other string) bool { return strings.HasPrefix(in[i], other+".") }
		if alone && slices.Index(in, in[i]) == i && !slices.ContainsFunc(in, clashes) && name != in[i] {
			return "a name was changed or taken away without need"
		}
	}
	if !slices.Equal(PortableNames(got), got) {
		return "the second time changes more"
	}
	return ""
}
