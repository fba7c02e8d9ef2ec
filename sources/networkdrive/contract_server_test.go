package networkdrive

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
)

func TestContract(t *testing.T) {
	s := needsSamba(t)
	with := s.values
	sourcetest.Run(t, sourcetest.Config{
		Type: Type,
		Values: func(t *testing.T) map[string]any {
			name, _ := s.folderOf(t, map[string]string{
				"a.txt": "a", "b.md": "# b", "empty.txt": "", "sub/c.txt": strings.Repeat("c", 100_000),
				"sub/deep/er/für 😀.txt": "d", ".hidden/e.txt": "e", "only folders/x/y/z.bin": "\x00",
			})
			return s.values(name, nil)
		},
		Broken: map[string]sourcetest.Broken{
			"share":             {Values: with("", map[string]any{"drive_path": "nothing"}), Kind: source.ErrConfig},
			"folder":            {Values: with("not/there", nil), Kind: source.ErrConfig},
			"leading slash":     {Values: with("", map[string]any{"drive_path": "/docs"}), Kind: source.ErrConfig},
			"password":          {Values: with("", map[string]any{"password": "wrong"}), Kind: source.ErrAuth},
			"user":              {Values: with("", map[string]any{"username": "alcie"}), Kind: source.ErrAuth},
			"port":              {Values: with("", map[string]any{"server_port": 1}), Kind: source.ErrUnreachable},
			"document security": {Values: with("", map[string]any{"use_document_level_security": true}), Kind: source.ErrConfig},
		},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			name, local := s.folderOf(t, map[string]string{"a.txt": "a", "shut/b.txt": "b", "open/c.txt": "c"})
			if err := os.Chown(filepath.Join(local, "shut"), 0, 0); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(local, "shut"), 0o700); err != nil {
				t.Fatal(err)
			}
			return sourcetest.FailingPart{Values: s.values(name, nil), Scope: s.share + "/" + name + "/shut", Kind: source.ErrAuth}
		},
		Loss: func(t *testing.T) sourcetest.Loss {
			files := map[string]string{}
			for i := range 400 {
				files[fmt.Sprintf("%03d %s.txt", i, strings.Repeat("x", 60))] = "x"
			}
			name, _ := s.folderOf(t, files)
			r := sourcetest.NewRelay(t, s.address)
			return sourcetest.Loss{
				Values: s.values(name, map[string]any{"server_ip": "127.0.0.1", "server_port": r.Port()}),
				Break:  func() { r.BreakAfter(10_000) }, Lost: r.Lost,
			}
		},
		FailingContent: func(t *testing.T) sourcetest.FailingContent {
			name, local := s.folderOf(t, map[string]string{"a.txt": "a", "b.txt": "b"})
			raw := s.values(name, nil)
			docs, _ := readEach(t, opened(t, raw, source.Env{}))
			return sourcetest.FailingContent{
				Values: raw, ID: docs["b.txt"].ID, Want: fs.ErrNotExist,
				Break: func() {
					if err := os.Remove(filepath.Join(local, "b.txt")); err != nil {
						t.Error(err)
					}
				},
			}
		},
	})
}
