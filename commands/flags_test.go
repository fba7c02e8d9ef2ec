package commands

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
)

func TestParseGuard(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string
		want  *engine.Guard
		bad   bool
	}{
		{"", nil, false},
		{"0", &engine.Guard{Confirmed: -1}, false},
		{"250", &engine.Guard{Deletes: 250, Confirmed: -1}, false},
		{"2.5%", &engine.Guard{Percent: 2.5, Confirmed: -1}, false},
		{"100%", &engine.Guard{Percent: 100, Confirmed: -1}, false},
		{value: "-1", bad: true},
		{value: "101%", bad: true},
		{value: "NaN%", bad: true},
		{value: "%", bad: true},
		{value: "ten", bad: true},
	}
	for _, tt := range tests {
		got, err := parseGuard(tt.value)
		if d := cmp.Diff(tt.want, got); d != "" || (err != nil) != tt.bad {
			t.Errorf("%q: %v, %s", tt.value, err, d)
		}
	}
}
