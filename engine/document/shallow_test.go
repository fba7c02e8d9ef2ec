package document

import (
	"strings"
	"testing"
)

// TestObjectsThatAreTooDeepBecomeText: the JSON of an object beyond the last level, however it is given.
func TestObjectsThatAreTooDeepBecomeText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		json   string
		levels int
		want   string
	}{
		{`1`, 0, `1`},
		{`{}`, 0, `"{}"`},
		{`{}`, 1, `{}`},
		{`{"a":{"b":1.50}}`, 2, `{"a":{"b":1.50}}`},
		{`{"a":{"b":1.50}}`, 1, `{"a":"{\"b\":1.50}"}`},
		{`[{"a":[{"b":1},2]},{"c":3}]`, 1, `[{"a":["{\"b\":1}",2]},{"c":3}]`},
		{`{"text":"{{{{{{"}`, 1, `{"text":"{{{{{{"}`},
		{`[[[[1]]]]`, 0, `[[[[1]]]]`},
	} {
		parsed, err := ParseJSON([]byte(tt.json))
		if err != nil {
			t.Fatal(err)
		}
		for form, v := range map[string]Value{"raw": Raw(tt.json), "parsed": parsed} {
			got, changed := Shallow(v, tt.levels)
			if text := string(got.AppendJSON(nil)); text != tt.want || changed != (tt.want != tt.json) {
				t.Errorf("%s, %s to %d levels: %s, changed %t, want %s", form, tt.json, tt.levels, text, changed, tt.want)
			}
		}
		if text := string(parsed.AppendJSON(nil)); text != tt.json {
			t.Errorf("%s became %s", tt.json, text)
		}
	}
	deep := strings.Repeat(`{"o":`, 200) + "1" + strings.Repeat("}", 200)
	got, _ := Shallow(Raw(deep), 19)
	if text := string(got.AppendJSON(nil)); strings.Count(text, `{"o":`) != 19 {
		t.Errorf("%.200s", text)
	}
}
