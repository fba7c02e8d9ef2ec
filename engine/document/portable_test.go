package document

import (
	"strings"
	"testing"
)

func TestPortableValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`1.50`, `1.50`},
		{`"a.b"`, `"a.b"`},
		{`[".",":"]`, `[".",":"]`},
		{`{"a":{"b.c":[1e2,{"d":null}]}}`, `{"a":{"b.c":[1e2,{"d":null}]}}`},
		{`{"a":"\".\":","b":1}`, `{"a":"\".\":","b":1}`},
		{`{"":1}`, `{"_":1}`},
		{`{"x":1,"x.y":2}`, `{"x":1,"x_y":2}`},
		{`{"x\u002ey":2,"x":1}`, `{"x_y":2,"x":1}`},
		{`{"a":[{"b":{".":12345678901234567890}},{"c..d":"\u0041"}]}`, `{"a":[{"b":{"_":12345678901234567890}},{"c__d":"A"}]}`},
		{`[[{"a.":true}],{"a.":false,"a_":null}]`, `[[{"a_":true}],{"a__2":false,"a_":null}]`},
		{`{"a\\b":1.10}`, `{"a\\b":1.10}`},
	} {
		parsed, err := ParseJSON([]byte(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		for form, v := range map[string]Value{"raw": Raw(tt.in), "parsed": parsed} {
			got := string(Portable(v).AppendJSON(nil))
			if got != tt.want {
				t.Errorf("%s %s: got %s, want %s", form, tt.in, got, tt.want)
			}
		}
		if again := string(parsed.AppendJSON(nil)); strings.Contains(tt.in, `""`) && !strings.Contains(again, `""`) {
			t.Errorf("%s: the value that was given changed to %s", tt.in, again)
		}
	}
	for _, broken := range []string{"", "{", `{"a`, `{"a\`} {
		if _, err := ParseJSON([]byte(broken)); err == nil {
			t.Errorf("%q is taken for JSON", broken)
		}
		if got := Portable(Raw(broken)); got.Text() != broken {
			t.Errorf("%q became %q", broken, got.Text())
		}
	}
}

// FuzzPortable changes names alone, and only once.
func FuzzPortable(f *testing.F) {
	for _, seed := range []string{`{"x":1,"x.y":{"":[{".":2}]}}`, `[1,"a"]`, `{"a":{"b":{"c.":null}}}`, `{"\ud800":1,"�":2}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseJSON([]byte(text))
		if err != nil {
			return
		}
		once := Portable(v)
		first := string(once.AppendJSON(nil))
		if second := string(Portable(once).AppendJSON(nil)); second != first {
			t.Errorf("%s changes again to %s", first, second)
		}
		back, err := ParseJSON([]byte(first))
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if got := string(Portable(back).AppendJSON(nil)); got != first {
			t.Errorf("%s changes to %s when it is read again", first, got)
		}
	})
}

func BenchmarkPortable(b *testing.B) {
	text := Raw(`{"id":12,"customer":{"name":"x","tags":["a","b"],"address":{"street":"Main 1","city":"Brno"}},"rows":[{"n":1,"v":1.5},{"n":2,"v":2.5}]}`)
	parsed, err := ParseJSON([]byte(text.Text()))
	if err != nil {
		b.Fatal(err)
	}
	for name, v := range map[string]Value{"raw": text, "parsed": parsed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Portable(v)
			}
		})
	}
}
