package dir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
)

// write makes files with their folders below root and returns root.
func write(t *testing.T, root string, files map[string]string) string {
	t.Helper()
	for name, data := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func brokenDirectories(t *testing.T) map[string]sourcetest.Broken {
	t.Helper()
	root := write(t, t.TempDir(), map[string]string{"file": "a"})
	return map[string]sourcetest.Broken{
		"absent": {
			Values: map[string]any{"directory": filepath.Join(root, "absent")}, Kind: source.ErrConfig,
		},
		"below a file": {
			Values: map[string]any{"directory": filepath.Join(root, "file", "x")}, Kind: source.ErrConfig,
		},
		"not a directory": {
			Values: map[string]any{"directory": filepath.Join(root, "file")}, Kind: source.ErrConfig,
		},
		"pattern": {
			Values: map[string]any{"directory": root, "pattern": "a[b"}, Kind: source.ErrConfig,
		},
	}
}

// nothingChosen is a folder in which no file has the name of the pattern.
func nothingChosen(t *testing.T) sourcetest.NothingChosen {
	t.Helper()
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a"})
	return sourcetest.NothingChosen{Values: map[string]any{"directory": root, "pattern": "**/*.absent"}}
}

const noLoss = "a folder is read without a connection"

func TestContractFiles(t *testing.T) {
	for _, idPath := range []string{pathAbsolute, pathRelative} {
		t.Run(idPath, func(t *testing.T) {
			cfg := sourcetest.Config{
				Type: Type,
				Values: func(t *testing.T) map[string]any {
					return map[string]any{"id_path": idPath, "directory": write(t, t.TempDir(), map[string]string{
						"a.txt": "a", "b.md": "# b", "empty.txt": "", "sub/c.txt": strings.Repeat("c", 100_000),
						"sub/deep/er/für 😀.txt": "d", ".hidden/e.txt": "e", "only folders/x/y/z.bin": "\x00",
						"new\nline/tab\t.txt": "f",
					})}
				},
				Broken: brokenDirectories(t), NothingChosen: nothingChosen, NoLoss: noLoss,
				FailingContent: func(t *testing.T) sourcetest.FailingContent {
					root := write(t, t.TempDir(), map[string]string{"a.txt": "a", "b.txt": "b"})
					v := map[string]any{"id_path": idPath, "directory": root}
					return sourcetest.FailingContent{
						Values: v, ID: read(t, v)["b.txt"].ID, Want: fs.ErrNotExist,
						Break: func() {
							if err := os.Remove(filepath.Join(root, "b.txt")); err != nil {
								t.Error(err)
							}
						},
					}
				},
			}
			if canBeDenied {
				cfg.FailingPart = func(t *testing.T) sourcetest.FailingPart {
					root := write(t, t.TempDir(), map[string]string{"a.txt": "a", "shut/b.txt": "b", "open/c.txt": "c"})
					deny(t, filepath.Join(root, "shut"))
					return sourcetest.FailingPart{
						Values: map[string]any{"id_path": idPath, "directory": root}, Scope: "shut", Kind: source.ErrAuth,
					}
				}
			} else {
				cfg.NoFailingPart = "permissions do not bind this user; TestAsAnotherUser runs this as one whom they bind"
			}
			sourcetest.Run(t, cfg)
		})
	}
}

func TestContractDocuments(t *testing.T) {
	sourcetest.Run(t, sourcetest.Config{
		Type: Type,
		Values: func(t *testing.T) map[string]any {
			return map[string]any{"format": "documents", "directory": write(t, t.TempDir(), map[string]string{
				"one.json":          `{"id": "one", "n": 1.50}`,
				"list.json":         `[{"id": 1, "a": {"b": [1, 2.0]}}, {"id": 2, "source_file": "mine"}]`,
				"lines.ndjson":      "{\"_id\":\"l1\"}\n\n{\"_id\":\"l2\",\"t\":\"für 😀\"}\n{\"_id\":\"l3\"}",
				"sub/rows.csv":      "id,name\n10,a\n11,\"b\nc\"\n",
				"sub/deep/rows.tsv": "id\tname\n20\ta\n",
				"sub/README.md":     "not a record",
			})}
		},
		Broken: brokenDirectories(t), NothingChosen: nothingChosen, NoLoss: noLoss,
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			root := write(t, t.TempDir(), map[string]string{
				"a.ndjson": "{\"id\":1}\n{\"id\":2", "b.ndjson": "{\"id\":3}\n",
			})
			return sourcetest.FailingPart{
				Values: map[string]any{"format": "documents", "directory": root}, Scope: "a.ndjson",
			}
		},
		NoContent: "the documents are the records of the files",
	})
}
