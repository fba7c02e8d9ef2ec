package indexname

import (
	"strings"
	"testing"
)

func TestProblem(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"search-a": "", ".hidden": "", "a.b_c+d-1": "", "é": "", strings.Repeat("a", 255): "",
		"": "must not be empty", "A": "must be lower case", ".": "must not be . or ..", "..": "must not be . or ..",
		"-a": "must not begin with -, _ or +", "_all": "must not begin with -, _ or +", "+a": "must not begin with -, _ or +",
		"a b": "must not hold ' '", "a,b": "must not hold ','", "a#b": "must not hold '#'", `a\b`: `must not hold '\\'`, "a*": "must not hold '*'", "*": "must not hold '*'",
		"a/_doc": "must not hold '/'", "other:a": "must not hold ':'", "a?pretty": "must not hold '?'",
		"<a-{now/d}>": "must not hold '<'", strings.Repeat("é", 128): "must not be longer than 255 bytes", "a\tb": "must not hold control characters", "a\xff": "must be valid UTF-8",
		".elastic-connectors":              "must not begin with .elastic-connectors, where connectors and sync jobs are stored",
		".elastic-connectors-sync-jobs-v1": "must not begin with .elastic-connectors, where connectors and sync jobs are stored",
	} {
		if got := Problem(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if got := ProblemOfRecord(name); want != "" && got != want {
			t.Errorf("%q of a record: got %q, want %q", name, got, want)
		}
	}
	for name, good := range map[string]bool{"search-a": true, ".kibana": false, ".security-7": false, ".search-acl-filter-a": false} {
		if got := ProblemOfRecord(name); (got == "") != good {
			t.Errorf("%q of a record: %q", name, got)
		}
	}
}
