package output

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheSummaryOfAStepHasAMaximumSize: GitHub shows nothing of a larger file.
func TestTheSummaryOfAStepHasAMaximumSize(t *testing.T) {
	t.Parallel()
	var b firstBytes
	for i := range 3000 {
		line := fmt.Sprintf("%04d %s\n", i, strings.Repeat("x", 1000))
		if n, err := b.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	text := b.kept.String()
	whole, cut := strings.CutSuffix(text, cutNotice)
	if !cut || len(text) > mostSummary || len(text) < mostSummary-2000 || strings.Count(whole, "\n")*1006 != len(whole) {
		t.Errorf("%d bytes, cut: %t", len(text), cut)
	}
	file := filepath.Join(t.TempDir(), "summary")
	if err := appendTo(file, []byte(text), mostSummary); err != nil {
		t.Fatal(err)
	}
	if err := appendTo(file, make([]byte, 3000), mostSummary); err == nil {
		t.Error("the file has become larger")
	}
	kept, err := os.ReadFile(file)
	if err != nil || string(kept) != text {
		t.Errorf("%d bytes, %v", len(kept), err)
	}
}

// TestOutputsOfAStepAreNumbers: no name of a source can add a line.
func TestOutputsOfAStepAreNumbers(t *testing.T) {
	t.Parallel()
	o, _ := hostileOutcome()
	want := "changed=true\nexit=4\ncreated=0\nupdated=15\ndeleted=0\nwithheld=1\nrejected=0\n"
	if d := cmp.Diff(want, outputs(&Total{Outcomes: []*Outcome{o}, Exit: 4})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
