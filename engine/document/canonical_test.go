package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// encode is the _source of a document and the version that the plan gives it.
func encode(doc *Document, timestamp string) (string, Version) {
	out, end := AppendSource(nil, doc, Trailer{Timestamp: timestamp})
	return string(out), ContentVersion(out[:end])
}

func TestTimestampVersion(t *testing.T) {
	t.Parallel()
	a, b := TimestampVersion("2024-01-01T00:00:00Z"), TimestampVersion("2024-01-01T00:00:01Z")
	switch {
	case a == 0 || b == 0:
		t.Error("a timestamp has the version of none")
	case a == b:
		t.Error("two timestamps have one version")
	case a != TimestampVersion(strings.Clone("2024-01-01T00:00:00Z")):
		t.Error("one timestamp has two versions")
	case TimestampVersion("") != 0:
		t.Error("no timestamp has a version")
	}
}

// TestVersionsLeaveRoomForMarks: the id table keeps its marks in the two highest bits, and 0 is unknown.
func TestVersionsLeaveRoomForMarks(t *testing.T) {
	t.Parallel()
	for _, h := range []uint64{0, 1 << 62, 1 << 63, 3 << 62, 1<<64 - 1, 5} {
		if v := version(h); v == 0 || v>>62 != 0 {
			t.Errorf("version(%#x) = %#x", h, v)
		}
	}
}

// TestStoredVersionIsContentVersion: a document that we wrote is recognised by its bytes, whatever
// it holds and whenever it was written.
func TestStoredVersionIsContentVersion(t *testing.T) {
	t.Parallel()
	tricky := `,"_timestamp":"x"}`
	docs := map[string]Document{
		"no fields":                            {ID: "a"},
		"empty id":                             {},
		"the key inside a string":              {ID: "a", Fields: []Field{{"s", String(tricky)}}},
		"the key inside the id":                {ID: tricky},
		"the key inside a name":                {ID: "a", Fields: []Field{{tricky, Int(1)}}},
		"a string that ends with a comma":      {ID: "a", Fields: []Field{{"s", String(`,`)}, {"_timestamp", String("x")}}},
		"an inner _timestamp as the last":      {ID: "a", Fields: []Field{{"o", Object([]Field{{"x", Int(1)}, {"_timestamp", String("x")}})}}},
		"an inner object that looks like ours": {ID: "a", Fields: []Field{{"o", Raw(`{"id":"a","_timestamp":"x"}`)}}},
		"a list of such objects":               {ID: "a", Fields: []Field{{"o", Raw(`[{"id":"a","_timestamp":"x"}]`)}}},
		"a field called _timestamp":            {ID: "a", Fields: []Field{{"_timestamp", String("x")}}},
		"its own timestamp":                    {ID: "a", Timestamp: "2024-01-01T00:00:00Z"},
	}
	for name, doc := range docs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, timestamp := range []string{"2024-05-06T07:08:09Z", "x", ""} {
				source, want := encode(&doc, timestamp)
				if got, ok := StoredVersion([]byte(source)); !ok || got != want {
					t.Errorf("StoredVersion(%s) = %d, %v, want %d", source, got, ok, want)
				}
			}
		})
	}
}

// TestStoredVersionDiffers: a change of any one thing but the timestamp changes the version.
func TestStoredVersionDiffers(t *testing.T) {
	t.Parallel()
	variants := []Document{
		{ID: "a"},
		{ID: "b"},
		{ID: "a", Fields: []Field{{"x", Int(1)}}},
		{ID: "a", Fields: []Field{{"y", Int(1)}}},
		{ID: "a", Fields: []Field{{"x", Int(2)}}},
		{ID: "a", Fields: []Field{{"x", String("1")}}},
		{ID: "a", Fields: []Field{{"x", Null()}}},
		{ID: "a", Fields: []Field{{"x", Number("1.0")}}},
		{ID: "a", Fields: []Field{{"x", Int(1)}, {"y", Int(1)}}},
		{ID: "a", Fields: []Field{{"y", Int(1)}, {"x", Int(1)}}},
		{ID: "a", Fields: []Field{{"_timestamp", String("x")}}},
		{ID: "a", Fields: []Field{{"x", Object([]Field{{"_timestamp", String("x")}})}}},
		{ID: "a", Fields: []Field{{"x", Object([]Field{{"_timestamp", String("y")}})}}},
		{ID: "a", Fields: []Field{{"x", String(`1,"_timestamp":"x"}`)}}},
		{ID: "a", Fields: []Field{{"x", String(`1,"_timestamp":"y"}`)}}},
	}
	owner := map[Version]string{}
	for i := range variants {
		source, _ := encode(&variants[i], "t")
		v, ok := StoredVersion([]byte(source))
		if other, taken := owner[v]; !ok || taken {
			t.Errorf("%s: recognised %v, has the version of %s", source, ok, other)
		}
		owner[v] = source
	}
}

// TestStoredVersionRefusesOtherForms: what is not certainly ours is judged by its canonical form.
func TestStoredVersionRefusesOtherForms(t *testing.T) {
	t.Parallel()
	flags := &Flags{}
	withFlags, _ := AppendSource(nil, &Document{ID: "a"}, Trailer{Timestamp: "t", Flags: flags})
	escaped, _ := AppendSource(nil, &Document{ID: "a", Timestamp: `t"`}, Trailer{})
	for _, source := range []string{
		"", "{}", "null", `{"id":"`, `{"id":"a"`, `{"id":"a"}`, `{"id":1,"_timestamp":"t"}`,
		` {"id":"a","_timestamp":"t"}`, `{ "id":"a","_timestamp":"t"}`,
		`{"id":"a","_timestamp":"t"} `, `{"id":"a","_timestamp": "t"}`, `{"id":"a", "_timestamp":"t"}`,
		`{"id":"a","_timestamp":"t" }`, `{"id":"a","_timestamp":null}`, `{"id":"a","_timestamp":5}`,
		`{"id":"a","_timestamp":{"a":"t"}}`, `{"id":"a","_timestamp":["t"]}`, `{"id":"a","_timestamp":"}`,
		`{"id":"a","_timestamp":"t","z":1}`, `{"id":"a","_timestamp":"t","z":"y"}`,
		`{"id":"a","o":{"x":1,"_timestamp":"t"}}`,
		`{"id":"a","o":{"x":1,"_timestamp":"t"},"z":"y"}`,
		`{"id":"a","o":{"x":1,"_timestamp":"t"},"z":{"y":"y"}}`,
		`{"id":"a","o":[{"x":1,"_timestamp":"t"}]}`,
		`{"x":1,"id":"a","_timestamp":"t"}`,
		string(withFlags), string(escaped),
	} {
		if _, ok := StoredVersion([]byte(source)); ok {
			t.Errorf("StoredVersion(%s) took it for ours", source)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	owned := func(name string) bool { return name == "owned" }
	tests := []struct{ name, in, want string }{ // want "" is an error
		{"keys are sorted at every depth", `{"b":1,"a":{"d":[{"f":1,"e":2}],"c":null}}`, `{"a":{"c":null,"d":[{"e":2,"f":1}]},"b":1}`},
		{"space goes", " {\n\"a\" : [ true , false ] } ", `{"a":[true,false]}`},
		{"escapes have one spelling", `{"\u0061":"\u00e9\/\u000a"}`, `{"a":"é/\n"}`},
		{"a lone surrogate becomes U+FFFD", `{"a":"\ud800"}`, "{\"a\":\"\uFFFD\"}"},
		{"integers stay, however long", `{"a":123456789012345678901234567890,"b":-5,"c":9007199254740993}`, `{"a":123456789012345678901234567890,"b":-5,"c":9007199254740993}`},
		{"fractions are shortest", `{"a":12.50,"b":0.1000000000000000055,"c":12.00,"d":1.0E10}`, `{"a":12.5,"b":0.1,"c":12,"d":10000000000}`},
		{"exponents have one spelling", `{"a":1E5,"b":1.0E21,"c":1e-7,"d":1.0E-7}`, `{"a":100000,"b":1e+21,"c":1e-07,"d":1e-07}`},
		{"zero has no sign", `{"a":-0,"b":-0.0,"c":0.0,"d":-0e5}`, `{"a":0,"b":0,"c":0,"d":0}`},
		{"beyond float64 the digits stay", `{"a":1e400}`, `{"a":1e400}`},
		{"the last of duplicate keys counts", `{"a":1,"a":2}`, `{"a":2}`},
		{"what every run rewrites is removed", `{"_timestamp":"t","_extract_binary_content":true,"_reduce_whitespace":true,"_run_ml_inference":true,"a":1}`, `{"a":1}`},
		{"but stays inside", `{"a":{"_timestamp":"t"}}`, `{"a":{"_timestamp":"t"}}`},
		{"what the caller ignores goes", `{"owned":1,"a":{"owned":2}}`, `{"a":{"owned":2}}`},
		{"the empty object", `{}`, `{}`},
		{"null is not an object", `null`, ""},
		{"an array", `[]`, ""},
		{"a string", `"a"`, ""},
		{"nothing", ``, ""},
		{"cut off", `{"a":1`, ""},
		{"something after it", `{"a":1} {"b":2}`, ""},
		{"garbage after it", `{"a":1}x`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Canonical(nil, []byte(tt.in), owned)
			if (err != nil) != (tt.want == "") {
				t.Fatalf("error %v, want one: %v", err, tt.want == "")
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, string(got)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
			if v, err := CanonicalVersion([]byte(tt.in), owned); (err != nil) != (tt.want == "") || (v == 0) != (tt.want == "") {
				t.Errorf("CanonicalVersion = %d, %v", v, err)
			}
		})
	}
}

func TestCanonicalAppends(t *testing.T) {
	t.Parallel()
	got, err := Canonical([]byte("x"), []byte(`{"a":1}`), nil)
	if err != nil || string(got) != `x{"a":1}` {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestCanonicalVersionOfAPipelinesSpelling: in each pair the second is what an ingest pipeline of
// Elasticsearch 9.5 made of the first.
func TestCanonicalVersionOfAPipelinesSpelling(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"-0", "0"},
		{"-0.0", "-0.0"},
		{"12.50", "12.5"},
		{"12.00", "12.0"},
		{"1e21", "1.0E21"},
		{"1E5", "100000.0"},
		{"1e-7", "1.0E-7"},
		{"5e-324", "4.9E-324"},
		{"123456789.0", "1.23456789E8"},
		{"100000000000000000000000.5", "1.0000000000000001E23"},
		{"0.1000000000000000055", "0.1"},
		{"1e-400", "0.0"},
		{"18446744073709551615", "18446744073709551615"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{`"\ud800"`, `"\uD800"`},
	} {
		sent, errSent := CanonicalVersion(fmt.Appendf(nil, `{"a":%s,"b":1,"_timestamp":"x"}`, pair[0]), nil)
		held, errHeld := CanonicalVersion(fmt.Appendf(nil, `{"b":1, "a":%s}`, pair[1]), nil)
		if errSent != nil || errHeld != nil || sent != held {
			t.Errorf("%s and %s differ (%v, %v)", pair[0], pair[1], errSent, errHeld)
		}
	}
}

// TestVersionsShowTheirForm: bytes and canonical forms never share a version.
func TestVersionsShowTheirForm(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		doc := Document{ID: "a", Fields: []Field{{"x", Int(int64(i))}}}
		source, content := encode(&doc, "t")
		canonical, err := CanonicalVersion([]byte(source), nil)
		if err != nil || content.Canonical() || !canonical.Canonical() || content>>62 != 0 || canonical>>62 != 0 {
			t.Fatalf("versions %#x and %#x, %v", content, canonical, err)
		}
	}
}

func TestCanonicalVersionDiffers(t *testing.T) {
	t.Parallel()
	owner := map[Version]string{}
	for _, source := range []string{
		`{}`, `{"a":null}`, `{"a":0}`, `{"a":1}`, `{"a":1.5}`, `{"a":"1"}`, `{"a":"1.5"}`, `{"a":true}`, `{"a":"true"}`, `{"a":"null"}`,
		`{"a":[]}`, `{"a":{}}`, `{"a":[1]}`, `{"a":[[1]]}`, `{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":["1,2"]}`, `{"b":1}`, `{"a":1,"b":1}`,
		`{"a":{"b":1}}`, `{"a.b":1}`, `{"a":9007199254740992}`, `{"a":9007199254740993}`, `{"a":"\",\"b\":\"1"}`, `{"a":"","b":"1"}`,
	} {
		v, err := CanonicalVersion([]byte(source), nil)
		if other, taken := owner[v]; err != nil || taken {
			t.Errorf("%s has the version of %s (%v)", source, other, err)
		}
		owner[v] = source
	}
}

func TestDeepNestingIsAnError(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte {
		return []byte(strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n))
	}
	if _, err := CanonicalVersion(nest(9_000), nil); err != nil {
		t.Errorf("9000 levels: %v", err)
	}
	for _, n := range []int{10_001, 1_000_000} {
		if v, err := CanonicalVersion(nest(n), nil); err == nil {
			t.Errorf("%d levels: version %d, want an error", n, v)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{
		`{"b":[1,2.50,{"z":1,"y":-0.0}],"a":"\u0041"}`, `{"a":1e400,"_timestamp":1}`, `{"a":1,"a":{}}`, `null`, `{} {}`, `{"a":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		once, err := Canonical(nil, source, nil)
		var m map[string]any
		if isObject := json.Unmarshal(source, &m) == nil && m != nil; isObject && err != nil {
			t.Fatalf("refused an object: %v", err)
		}
		if err != nil {
			return
		}
		checkLine(t, once)
		twice, err := Canonical(nil, once, nil)
		if err != nil || !bytes.Equal(twice, once) {
			t.Fatalf("not idempotent: %s, then %s, %v", once, twice, err)
		}
	})
}

// FuzzStoredVersion steers two documents: their stored versions are those of their content, and are
// the same only when the content is.
func FuzzStoredVersion(f *testing.F) {
	f.Add([]byte("abcdefgh,\"_timestamp\":\"x\"}ijklmnop"), []byte("abcdefgh,\"_timestamp\":\"y\"}ijklmnop"))
	f.Add([]byte(""), []byte("\x01"))
	f.Add([]byte("same"), []byte("same"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		compareStored(t, a, b)
	})
}

func compareStored(t *testing.T, a, b []byte) {
	t.Helper()
	var contents [2]string
	var versions [2]Version
	for i, in := range [][]byte{a, b} {
		g := generator{in: in}
		doc := g.document()
		doc.Timestamp = "" // of which a quote would send it to the canonical form
		out, end := AppendSource(nil, &doc, Trailer{Timestamp: fmt.Sprint("run ", i)})
		v, ok := StoredVersion(out)
		if !ok || v != ContentVersion(out[:end]) {
			t.Fatalf("StoredVersion(%s) = %d, %v, want %d", out, v, ok, ContentVersion(out[:end]))
		}
		if _, err := CanonicalVersion(out, nil); err != nil {
			t.Fatalf("CanonicalVersion(%s): %v", out, err)
		}
		contents[i], versions[i] = string(out[:end]), v
	}
	if (contents[0] == contents[1]) != (versions[0] == versions[1]) {
		t.Fatalf("versions %d of\n%s\n%s", versions, contents[0], contents[1])
	}
}

// FuzzForeignSource: bytes that another program wrote are never taken for ours where they do not
// end in our timestamp, so no field can hide from the comparison.
func FuzzForeignSource(f *testing.F) {
	for _, s := range []string{
		`{"id":"a","_timestamp":"t"}`, `{"id":"a","o":{"_timestamp":"t"},"z":"y"}`, `{"id":"a","b":1,"_timestamp":"t","_timestamp":"u"}`,
		`{"id":"a","o":{"x":1,"_timestamp":"t"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if _, ok := StoredVersion(source); !ok || !json.Valid(source) {
			return
		}
		i := strings.LastIndex(string(source), timestampKey)
		var m, rest map[string]any
		if err := json.Unmarshal(source, &m); err != nil {
			return // a number beyond float64
		}
		if err := json.Unmarshal(append(append([]byte{}, source[:i]...), '}'), &rest); err != nil {
			t.Fatalf("what is compared is not all of an object: %s", source)
		}
		if _, ok := m["_timestamp"].(string); !ok {
			t.Fatalf("took something else for the timestamp: %s", source)
		}
		delete(m, "_timestamp")
		delete(rest, "_timestamp")
		if diff := cmp.Diff(m, rest); diff != "" {
			t.Errorf("a field is not compared (-all +compared):\n%s", diff)
		}
	})
}

func TestSameValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, a, b string
		want       bool
	}{
		{"the same", `"x"`, `"x"`, true},
		{"another", `"x"`, `"y"`, false},
		{"spelling", `{"b":12.50,"a":"\u0041"}`, ` {"a":"A", "b":1.25e1}`, true},
		{"a number and its text", `5`, `"5"`, false},
		{"null and nothing", `null`, ``, false},
		{"null and null", `null`, `null`, true},
		{"reserved names count inside a value", `{"_timestamp":1}`, `{"_timestamp":2}`, false},
		{"what is no JSON is the same as nothing", `x`, `x`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := SameValue([]byte(tt.a), []byte(tt.b)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if got := SameValue([]byte(tt.b), []byte(tt.a)); got != tt.want {
				t.Errorf("the other way round: got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRewritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"_timestamp", "_extract_binary_content", "_reduce_whitespace", "_run_ml_inference"} {
		if !WrittenAnew(name) {
			t.Errorf("WrittenAnew(%q) = false", name)
		}
	}
	for _, name := range []string{"", "id", "timestamp", "_timestamp_", "body"} {
		if WrittenAnew(name) {
			t.Errorf("WrittenAnew(%q) = true", name)
		}
	}
}

// TestVectorsMayLoseWhat32BitFloatsLose: and no more.
func TestVectorsMayLoseWhat32BitFloatsLose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`[0.1234567891,1]`, `[0.1234568,1.0]`, true},
		{`[0.1234567891,1]`, `[0.123458,1.0]`, false},
		{`[0,1e-30]`, `[0.0,1e-30]`, true},
		{`[0]`, `[1e-30]`, false},
		{`[1]`, `[1,1]`, false},
		{`{"a":[1.00000001]}`, `{"a":[1]}`, true},
		{`{"a":[1]}`, `{"b":[1]}`, false},
		{`null`, `null`, true},
		{`null`, `[1]`, false},
		{`"x"`, `"x"`, true},
		{`[1`, `[1`, false},
	} {
		if got := SameVector([]byte(tt.a), []byte(tt.b)); got != tt.want || SameVector([]byte(tt.b), []byte(tt.a)) != tt.want {
			t.Errorf("%s and %s: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
