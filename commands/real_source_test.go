package commands_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestAnIndexWithoutSource: documents cannot be compared, which is reported before anything is read, for
// versions and contents. With --compare always it is a mirror, except for deleted documents: their tables are
// unknown, so their deletes are held back and listed.
func TestAnIndexWithoutSource(t *testing.T) {
	t.Parallel()
	const without = `{"mappings":{"_source":{"enabled":false}}}`
	elastictest.Servers(t, func(t *testing.T, elasticsearch string) {
		t.Run("versions", func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, elasticsearch)
			folder := filepath.Join(b.dir, "files")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.txt", i)), []byte("text"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b.writePlain("dir", fmt.Sprintf("directory: %q", folder), "")
			b.call(http.MethodPut, "/"+b.index, without)
			sayItCannotBeCompared(t, b.run)
			if res := b.must(0, "sync", "--compare", "always"); res.Created != 3 {
				t.Errorf("%+v", res)
			}
			sayItCannotBeCompared(t, b.run)
			if err := os.Remove(filepath.Join(folder, "1.txt")); err != nil {
				t.Fatal(err)
			}
			heldBackByName(t, b.run)
		})
		t.Run("contents", func(t *testing.T) {
			t.Parallel()
			b := newBench(t, elasticsearch)
			b.exec(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, 'three')`)
			b.grantAll()
			b.call(http.MethodPut, "/"+b.index, without)
			sayItCannotBeCompared(t, b.run)
			if res := b.must(0, "sync", "--compare", "always"); res.Created != 3 {
				t.Errorf("%+v", res)
			}
			sayItCannotBeCompared(t, b.run)
			b.exec(`DELETE FROM a WHERE id = 2`)
			heldBackByName(t, b.run)
		})
	})
}

func sayItCannotBeCompared(t *testing.T, run func(...string) outcome) {
	t.Helper()
	for _, command := range []string{"sync", "diff"} {
		if o := run(command); o.code != 2 || !strings.Contains(o.stderr, "--compare always") || !strings.Contains(o.stderr, "its _source is disabled") {
			t.Errorf("%s: exit code %d\n%s", command, o.code, o.stderr)
		}
	}
}

func heldBackByName(t *testing.T, run func(...string) outcome) {
	t.Helper()
	for range 2 {
		if o := run("sync", "--compare", "always"); o.code != 4 || !strings.Contains(o.stdout+o.stderr, " 2 updated, 0 deleted") {
			t.Errorf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
		}
	}
	if o := run("diff", "--compare", "always"); !strings.Contains(o.stdout, "held back") {
		t.Errorf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
}
