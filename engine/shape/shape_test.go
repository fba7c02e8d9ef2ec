package shape

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

var kinds = []source.FieldKind{
	source.Text, source.Keyword, source.Long, source.UnsignedLong, source.Double, source.Decimal,
	source.Boolean, source.Date, source.Binary, source.IP, source.Object,
}

func none(string) bool { return false }

func described(kind source.FieldKind, names ...string) (out []source.DescribedField) {
	for _, name := range names {
		out = append(out, source.DescribedField{Name: name, Kind: kind})
	}
	return out
}

// TestEachKindHasAType is the table of docs/index-settings.md.
func TestEachKindHasAType(t *testing.T) {
	t.Parallel()
	want := map[source.FieldKind]string{
		source.Text:         "",
		source.Keyword:      `{"ignore_above":8191,"type":"keyword"}`,
		source.Long:         `{"type":"long"}`,
		source.UnsignedLong: `{"type":"unsigned_long"}`,
		source.Double:       `{"type":"double"}`,
		source.Decimal:      `{"type":"double"}`,
		source.Boolean:      `{"type":"boolean"}`,
		source.Date:         `{"type":"date"}`,
		source.Binary:       `{"type":"binary"}`,
		source.IP:           `{"type":"ip"}`,
		source.Object:       "",
	}
	for _, kind := range kinds {
		f := Fields{"f": kind}
		if got := shown(f.Properties(Options{}, 1000, none)["f"]); got != want[kind] {
			t.Errorf("%s is mapped as %s, want %s", kind, got, want[kind])
		}
	}
}

func shown(v any) string {
	if v == nil {
		return ""
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// TestTwoKindsOfOneField: numbers become a number that holds both, an object beside a value is kept and not indexed,
// everything else is text.
func TestTwoKindsOfOneField(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b source.FieldKind
		want string
	}{
		{source.Long, source.Long, "long"},
		{source.Long, source.UnsignedLong, "double"},
		{source.Long, source.Double, "double"},
		{source.UnsignedLong, source.Decimal, "double"},
		{source.Long, source.Text, "text"},
		{source.Keyword, source.Text, "text"},
		{source.Date, source.Keyword, "text"},
		{source.Boolean, source.Long, "text"},
		{source.Object, source.Text, "object"},
		{source.Long, source.Object, "object"},
	} {
		f := Fields{}
		f.Add(described(tc.a, "f"))
		f.Add(described(tc.b, "f"))
		field, _ := f.Properties(Options{}, 1000, none)["f"].(map[string]any)
		if field["type"] != tc.want {
			t.Errorf("%s and %s are mapped as %v, want %s", tc.a, tc.b, field, tc.want)
		}
		if _, kept := field["enabled"]; kept != (tc.want == "object") {
			t.Errorf("%s and %s are mapped as %v", tc.a, tc.b, field)
		}
	}
}

// TestTheUnionDependsOnNoOrder: whatever order parts come in, and however often.
func TestTheUnionDependsOnNoOrder(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	names := []string{"a", "b", "a.b", "c", "c.d.e", "d", "", "x..y"}
	for range 2000 {
		parts := make([][]source.DescribedField, 1+r.IntN(6))
		for i := range parts {
			for _, name := range names {
				if r.IntN(2) == 0 {
					parts[i] = append(parts[i], described(kinds[r.IntN(len(kinds))], name)...)
				}
			}
		}
		var got [2]string
		for i := range got {
			f := Fields{}
			for _, part := range parts {
				f.Add(part)
			}
			got[i] = shown(f.Properties(Options{}, 1000, none))
			r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			parts = append(parts, parts[0])
		}
		if got[0] != got[1] {
			t.Fatalf("seed %d: %s and %s", seed, got[0], got[1])
		}
	}
}

// TestMembersStandInTheirObjects: names with dots are paths, and a field is never an object and a
// value at once.
func TestMembersStandInTheirObjects(t *testing.T) {
	t.Parallel()
	f := Fields{
		"row.price": source.Decimal, "row.name": source.Text, "key.id": source.Long,
		"x": source.Long, "x.y": source.Date, "x.y.z": source.Date, ".": source.Long, "a..b": source.Long,
	}
	want := `{"key":{"properties":{"id":{"type":"long"}}},"row":{"properties":{"price":{"type":"double"}}}}`
	if got := shown(f.Properties(Options{}, 1000, none)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNoMoreFieldsThanThereIsRoomFor(t *testing.T) {
	t.Parallel()
	f := Fields{"a": source.Long, "b": mixed, "c.d": source.Long, "e": source.Long}
	for room, want := range []string{"", "a", "a e", "a b", "a b e", "a b c", "a b c e"} {
		var got []string
		for _, name := range []string{"a", "b", "c", "e"} {
			if _, ok := f.Properties(Options{}, room, none)[name]; ok {
				got = append(got, name)
			}
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
			t.Errorf("room for %d (-want +got):\n%s", room, d)
		}
	}
}

func TestWhatAnIndexCannotDoIsMappedOtherwise(t *testing.T) {
	t.Parallel()
	f := Fields{"u": source.UnsignedLong, "t": source.Text, "m": mixed, "d": source.Date, "k": source.Keyword}
	old := Options{GuessesDates: true, Strict: true, NoUnsignedLong: true, Text: map[string]any{"type": "text", "analyzer": "x"}}
	want := `{"d":{"ignore_malformed":true,"type":"date"},"k":{"ignore_above":8191,"type":"keyword"},` +
		`"m":{"analyzer":"x","type":"text"},"t":{"analyzer":"x","type":"text"},"u":{"ignore_malformed":true,"type":"double"}}`
	if got := shown(f.Properties(old, 1000, none)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := shown(f.Properties(Options{}, 1000, func(path string) bool { return path != "k" })); got != `{"k":{"ignore_above":8191,"type":"keyword"}}` {
		t.Errorf("what exists is left alone: %s", got)
	}
}

// TestDriftSaysWhatIsLost: a type that holds all that the kind has is none.
func TestDriftSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind    source.FieldKind
		typ     string
		meaning string // the beginning; "" for no drift
		refuses bool
	}{
		{source.Long, "long", "", false},
		{source.Long, "", "", false},
		{source.Long, "double", "neighbors beyond 2^53", false},
		{source.Long, "integer", "values that are not of type integer are rejected", true},
		{source.Long, "text", "searched as text: no ranges", false},
		{source.UnsignedLong, "double", "", false},
		{source.Double, "float", "values that are not of type float are rejected", true},
		{source.Double, "long", "values that are not of type long are rejected", true},
		{source.Decimal, "scaled_float", "", false},
		{source.Decimal, "text", "searched as text: no ranges", false},
		{source.Date, "date_nanos", "", false},
		{source.Date, "text", "searched as text: no date", false},
		{source.Text, "text", "", false},
		{source.Text, "keyword", "", false},
		{source.Text, "date", "values that are not of type date are rejected", true},
		{source.Keyword, "text", "", false},
		{source.Keyword, "long", "values that are not of type long are rejected", true},
		{source.Binary, "text", "base64", false},
		{source.Boolean, "keyword", "searched as text", false},
		{source.Boolean, "long", "values that are not of type long are rejected", true},
		{mixed, "long", "values that are not of type long are rejected", true},
		{mixed, "text", "", false},
		{source.Object, "object", "", false},
		{source.Object, "text", "values that are not of type text are rejected", true},
		{opaque, "object", "", false},
		{opaque, "text", "values that are not of type text are rejected", true},
	} {
		got := Fields{"f": tc.kind}.Drift(func(string) string { return tc.typ }, true)
		switch {
		case tc.meaning == "" && len(got) == 0:
		case len(got) != 1 || !strings.HasPrefix(got[0].Meaning, tc.meaning) || tc.meaning == "" || got[0].Refuses != tc.refuses:
			t.Errorf("%s as %s: %+v, want %q, refuses %v", tc.kind, tc.typ, got, tc.meaning, tc.refuses)
		}
		object := tc.kind == source.Object || tc.kind == opaque // which is never left out
		if lenient := (Fields{"f": tc.kind}).Drift(func(string) string { return tc.typ }, false); len(lenient) != len(got) || len(got) == 1 && lenient[0].Refuses != object {
			t.Errorf("%s as %s where malformed values are left out: %+v", tc.kind, tc.typ, lenient)
		}
	}
}

func TestWhyAValueIsNotIndexed(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{
		"": "more fields than the index allows", "date": "not a date", "ip": "not an IP address", "object": "not an object",
		"double": "not a number within its range", "keyword": "too long", "boolean": "not a boolean", "binary": "not base64",
	} {
		if got := WhyIgnored(typ); got != want {
			t.Errorf("%q: %q, want %q", typ, got, want)
		}
	}
}
