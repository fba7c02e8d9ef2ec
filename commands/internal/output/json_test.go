package output

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSONLineStaysJSON(t *testing.T) {
	t.Parallel()
	want := "<b>\u202e \u009b \U000e0041 日本 \x1b"
	line := JSONLine(want)
	if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\u202e\u009b\x1b\U000e0041") || !strings.Contains(line, "<b>") {
		t.Errorf("got %s", line)
	}
	var got string
	if err := json.Unmarshal([]byte(line), &got); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}
