package logs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestHintsOfManyFailuresAreReportedOnce(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	m, hints := &Messages{To: &out}, map[string]bool{}
	for i := range 6 {
		hint := []string{"GRANT SELECT ON a, b, c TO r;", "repair the view", ""}[i%3]
		m.FailAmong(`mysql "shop"`, &source.Error{Part: fmt.Sprint("t", i), Err: errors.New("refused"), Hint: hint}, hints)
	}
	for text, want := range map[string]int{": refused\n": 6, "hint: ": 2, "GRANT": 1, "repair": 1} {
		if n := strings.Count(out.String(), text); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, n, want, out.String())
		}
	}
}
