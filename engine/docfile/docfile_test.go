package docfile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConnectorsOfOneCommandShareADeadLetterFile: closing it between two connectors loses nothing, and a later
// command starts a new file.
func TestConnectorsOfOneCommandShareADeadLetterFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dead.ndjson")
	for _, command := range []string{"first", "second"} {
		d := NewDeadLetter(path)
		for _, connector := range []string{"a", "b"} {
			if err := d.Put(Rejection{ID: command + connector, Document: json.RawMessage(`{"v":"<b>"}`)}); err != nil {
				t.Fatal(err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(raw), "\n"); n != 2 || strings.Count(string(raw), command) != 2 || !strings.Contains(string(raw), `"<b>"`) {
			t.Errorf("%s command: the file holds\n%s", command, raw)
		}
	}
}
