package commands

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestIndicesOfRebuildsAreListed: what an interrupted rebuild leaves, and the index for which an alias stood before.
func TestIndicesOfRebuildsAreListed(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, server string) {
		dir := t.TempDir()
		index := "rebuilt-" + strings.ToLower(strings.NewReplacer("_", "-", "/", "-").Replace(filepath.Base(filepath.Dir(dir))))
		writeFile(t, filepath.Join(dir, "in", "a.txt"), "text")
		writeFile(t, filepath.Join(dir, "config.yml"), "elasticsearch.host: "+server+"\nconnectors:\n"+
			"  - {name: docs, service_type: dir, index_name: "+index+", configuration: {directory: in}}\n")
		run := func(args ...string) string {
			t.Helper()
			c := programIn(t, dir, args...)
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
			return string(out)
		}
		request := func(method, path string) []byte {
			return elastictest.Ask(context.WithoutCancel(t.Context()), t, method, server+"/"+path, "")
		}
		t.Cleanup(func() {
			var all map[string]json.RawMessage
			if err := json.Unmarshal(request(http.MethodGet, index+"-*"), &all); err != nil {
				t.Error(err)
			}
			for name := range all {
				request(http.MethodDelete, name)
			}
		})
		left := index + "-20300102030405-abcdef"
		for _, name := range []string{left, index + "-20300102030405", index + "-other"} {
			request(http.MethodPut, name)
		}
		run("sync")
		run("sync", "--rebuild")
		run("sync", "--rebuild") // the name is an alias now, so the index of the first rebuild stays
		out := run("list", "indices")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[1], index+" ") || strings.Count(out, "left by a rebuild") != 2 || !strings.Contains(out, left) {
			t.Errorf("got\n%s", out)
		}
	})
}
