package protocol

import (
	"strings"
	"testing"
	"time"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDue(t *testing.T) {
	t.Parallel()
	const hourly = "0 0 * * * ?"
	for _, tt := range []struct {
		name, interval string
		off            bool
		since, now     string
		want           string // the instant, an error, or ""
	}{
		{"not yet", hourly, false, "2030-01-02T03:00:00Z", "2030-01-02T03:59:59Z", ""},
		{"at the instant", hourly, false, "2030-01-02T03:00:00Z", "2030-01-02T04:00:00Z", "2030-01-02T04:00:00Z"},
		{"a while after", hourly, false, "2030-01-02T03:00:00Z", "2030-01-02T04:20:00Z", "2030-01-02T04:00:00Z"},
		{"for each instant once", hourly, false, "2030-01-02T04:00:00Z", "2030-01-02T04:20:00Z", ""},
		{"slept through five: the last one", hourly, false, "2030-01-02T03:00:00Z", "2030-01-02T08:10:00Z", "2030-01-02T08:00:00Z"},
		{"since between two instants", hourly, false, "2030-01-02T03:59:00Z", "2030-01-02T04:00:30Z", "2030-01-02T04:00:00Z"},
		{"turned off", hourly, true, "2030-01-02T03:00:00Z", "2030-01-02T08:10:00Z", ""},
		{"never looked after: no further back than a month and some days", "0 0 0 1 1 ?", false, "0001-01-01T00:00:00Z", "2030-06-01T00:00:00Z", ""},
		{"a monthly one that was slept through", "0 0 0 1 * ?", false, "2029-12-01T00:00:00Z", "2030-01-31T12:00:00Z", "2030-01-01T00:00:00Z"},
		{"a clock that was set back", hourly, false, "2030-01-02T09:00:00Z", "2030-01-02T08:10:00Z", ""},
		{"seconds count", "0/5 * * * * ?", false, "2030-01-02T03:00:00Z", "2030-01-02T03:00:07Z", "2030-01-02T03:00:05Z"},
		{"no expression", "", false, "2030-01-02T03:00:00Z", "2030-01-02T08:10:00Z", "configuration: schedule: "},
		{"a wrong one", "0 61 * * * ?", false, "2030-01-02T03:00:00Z", "2030-01-02T08:10:00Z", `configuration: schedule: minute: "61"`},
		{"a wrong one that is turned off", "x", true, "2030-01-02T03:00:00Z", "2030-01-02T08:10:00Z", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			instant, ok, err := Due(Schedule{Flag(!tt.off), tt.interval}, at(tt.since), at(tt.now))
			got := ""
			switch {
			case err != nil:
				got = err.Error()
			case ok:
				got = instant.Format(time.RFC3339)
			}
			if got != tt.want && (err == nil || tt.want == "" || !strings.HasPrefix(got, tt.want)) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
