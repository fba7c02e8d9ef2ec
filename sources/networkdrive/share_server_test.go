package networkdrive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

func names(docs map[string]document.Document) []string { return slices.Sorted(maps.Keys(docs)) }

func contentOf(ctx context.Context, d document.Document) (string, error) {
	r, err := d.Content.Open(ctx)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func TestDocument(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, local := s.folderOf(t, map[string]string{"sub/a.txt": "hello"})
	changed := time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)
	if err := os.Chtimes(filepath.Join(local, "sub", "a.txt"), time.Now(), changed); err != nil {
		t.Fatal(err)
	}
	docs, failed := readEach(t, opened(t, s.values(name, nil), source.Env{}))
	if len(failed) > 0 || !cmp.Equal(names(docs), []string{"sub", "sub/a.txt"}) {
		t.Fatalf("got %q, failed %v", names(docs), failed)
	}
	d := docs["sub/a.txt"]
	got := []string{d.Timestamp, textOf(t, d, "path"), textOf(t, d, "title"), textOf(t, d, "type"), textOf(t, docs["sub"], "type")}
	want := []string{"2024-05-06T07:08:09.123456", `\\127.0.0.1/docs/` + name + `\sub\a.txt`, "a.txt", "file", "folder"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if size, _ := d.Lookup("size"); size.Int() != 5 || docs["sub"].Content != nil {
		t.Errorf("got the size %v, and content %v of the folder", size, docs["sub"].Content)
	}
	if text, err := contentOf(t.Context(), d); text != "hello" || err != nil {
		t.Errorf("got the content %q, %v", text, err)
	}
}

// A mistyped user whom the server lets in as a guest reads nothing; one who asks for it does.
func TestGuestsAreRefused(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	s.address = testenv.Required(t, "TEST_SMB_GUEST_ADDR")
	name, _ := s.folderOf(t, map[string]string{"a.txt": "a"})
	tests := map[string]bool{"alcie": false, `WORKGROUP\alcie`: false, s.user: true, "guest": true}
	for user, allowed := range tests {
		src := opened(t, s.values(name, map[string]any{"username": user}), source.Env{})
		err := src.Ping(t.Context())
		switch {
		case allowed && err != nil:
			t.Errorf("%s: got %v", user, err)
		case !allowed && (!errors.Is(err, source.ErrAuth) || !strings.Contains(err.Error(), "as a guest") || source.Hint(err) == ""):
			t.Errorf("%s: got %v, want that it is a guest", user, err)
		}
	}
}

// A file may have any times: its neighbors are listed, and its document is the same in each run.
func TestTimesOutOfRange(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, local := s.folderOf(t, map[string]string{"now.txt": "", "2400.txt": "", "1970.txt": "", "1650.txt": "", "1602.txt": "", "2200.txt": ""})
	for file, year := range map[string]int{"2400.txt": 2400, "1970.txt": 1970, "1650.txt": 1650, "1602.txt": 1602, "2200.txt": 2200} {
		at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(local, file), at, at); err != nil {
			t.Fatal(err)
		}
	}
	var runs [2]map[string]string
	for i := range runs {
		docs, failed := readEach(t, opened(t, s.values(name, nil), source.Env{}))
		if len(docs) != 6 || len(failed) > 0 {
			t.Fatalf("got %q, failed %v", names(docs), failed)
		}
		runs[i] = map[string]string{}
		for file, d := range docs {
			runs[i][file] = d.Timestamp
		}
	}
	if diff := cmp.Diff(runs[0], runs[1]); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
	if got := runs[0]["1970.txt"]; got != "1970-01-01T00:00:00" {
		t.Errorf("got %s for 1970", got)
	}
	t.Log(runs[0])
}

// Names that Windows does not allow: each is listed once, with its content. A name that is not UTF-8 Samba does
// not list at all.
func TestOddNames(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	entries := map[string]string{}
	for i, file := range []string{
		"10:30.txt", "end .txt ", "end.txt.", "q?.pdf", `back\slash.txt`, "pri\uf03avate.txt", "report.pdf\uf029", "new\nline.txt",
		".gitignore", "..txt", "a.", "a.tar.gz", "cafe\u0301.txt", "caf\u00e9.txt", "~$x.docx", "plain.txt", "100% #1 'x'.PDF",
		strings.Repeat("n", 200) + ".txt",
	} {
		entries[file] = fmt.Sprint("content ", i)
	}
	name, _ := s.folderOf(t, entries)
	docs, failed := readEach(t, opened(t, s.values(name, nil), source.Env{}))
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	ids, texts := map[string]bool{}, map[string]bool{}
	for file, d := range docs {
		text, err := contentOf(t.Context(), d)
		if err != nil {
			t.Errorf("%q: %v", file, err)
		}
		ids[d.ID], texts[text] = true, true
	}
	if len(docs) != len(entries) || len(ids) != len(entries) || len(texts) != len(entries) {
		t.Errorf("got %d documents with %d ids and %d contents of %d files: %q", len(docs), len(ids), len(texts), len(entries), names(docs))
	}
	if d, ok := docs["report.pdf\uf029"]; !ok || d.Content.Name != "report.pdf" {
		t.Errorf("the format of report.pdf with a private character at its end is not detected")
	}
}

// The server follows links itself: a folder that is one of those above it is not read again.
func TestLinksOfTheServer(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, local := s.folderOf(t, map[string]string{"a/b/x.txt": "x", "c/y.txt": "y"})
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("no"), 0o666); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"a/b/up": "..", "a/b/top": "../..", "c/self": ".", "c/file.txt": "../a/b/x.txt", "broken.txt": "nowhere", "outside.txt": outside,
	} {
		if err := os.Symlink(to, filepath.Join(local, filepath.FromSlash(from))); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	src := opened(t, s.values(name, nil), source.Env{Log: slog.New(slog.NewTextHandler(&log, nil))})
	docs, failed := readEach(t, src)
	if len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	for file, d := range docs {
		if strings.Count(file, "/") > 2 {
			t.Errorf("a circle was followed: %s", file)
		}
		if d.Content == nil {
			continue
		}
		if text, err := contentOf(t.Context(), d); text == "no" {
			t.Errorf("%s leads out of the share: %v", file, err)
		}
	}
	for _, file := range []string{"a/b/x.txt", "c/y.txt", "c/file.txt"} {
		if _, ok := docs[file]; !ok {
			t.Errorf("%s is missing", file)
		}
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Count(log.String(), "level=WARN") != 1 {
		t.Errorf("want one warning about circles, got:\n%s", &log)
	}
}

// A link of a DFS namespace leads to another server: it fails alone.
func TestDFSLink(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	docs, failed := readEach(t, opened(t, s.values("", map[string]any{"drive_path": "links"}), source.Env{}))
	err := failed["links/elsewhere"]
	if err == nil || len(failed) != 1 || !strings.Contains(err.Error(), "DFS") || source.Hint(err) == "" {
		t.Errorf("got %q, failed %v; want a failure that speaks of DFS", names(docs), failed)
	}
}

func TestEncryptedShare(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, _ := s.folderOf(t, map[string]string{"a.txt": "secret"})
	docs, failed := readEach(t, opened(t, s.values("", map[string]any{"drive_path": "encrypted/" + name}), source.Env{}))
	if text, err := contentOf(t.Context(), docs["a.txt"]); text != "secret" || err != nil || len(failed) > 0 {
		t.Errorf("got %q, %v, failed %v", text, err, failed)
	}
}

// Several folders of one server; one that is not there fails alone.
func TestAdditionalPaths(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	one, _ := s.folderOf(t, map[string]string{"1.txt": "1"})
	two, _ := s.folderOf(t, map[string]string{"2.txt": "2"})
	src := opened(t, s.values(one, map[string]any{"additional_paths": []any{"docs/" + two, "docs/absent", "encrypted/" + two}}), source.Env{})
	if err := src.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	var paths, failed []string
	ids := map[string]bool{}
	for part, err := range src.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for doc, err := range part.Documents(t.Context()) {
			if err != nil {
				failed = append(failed, part.Scope())
				break
			}
			paths, ids[doc.ID] = append(paths, textOf(t, doc, "path")), true
		}
	}
	slices.Sort(paths)
	want := []string{`\\127.0.0.1/docs/` + one + `\1.txt`, `\\127.0.0.1/docs/` + two + `\2.txt`, `\\127.0.0.1/encrypted/` + two + `\2.txt`}
	slices.Sort(want)
	if diff := cmp.Diff(want, paths); diff != "" || !cmp.Equal(failed, []string{"docs/absent"}) || len(ids) != 3 {
		t.Errorf("(-want +got), %d ids, failed %q:\n%s", len(ids), failed, diff)
	}
}

func TestRulesHiddenAndExcluded(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, _ := s.folderOf(t, map[string]string{
		"a/1.txt": "", "a/2.md": "", "a/.h/3.txt": "", "b/4.txt": "", "b/deep/5.txt": "", "~$6.docx": "",
	})
	root := "docs/" + name
	rule := func(patterns ...string) source.Env {
		list := []any{}
		for _, p := range patterns {
			list = append(list, map[string]any{"pattern": p})
		}
		return source.Env{AdvancedRules: list}
	}
	tests := []struct {
		rule string
		env  source.Env
		more map[string]any
		want []string
	}{
		{"all below", rule(root + "/a/**"), nil, []string{"a/1.txt", "a/2.md"}},
		{"each once", rule(root+"/a/**", root+"/a/*.txt"), nil, []string{"a/1.txt", "a/2.md"}},
		{"a literal file", rule(root + "/b/4.txt"), nil, []string{"b/4.txt"}},
		{"a literal folder, with all below it", rule(root + "/b"), nil, []string{"b", "b/4.txt", "b/deep", "b/deep/5.txt"}},
		{"backslashes", rule(`docs\` + name + `\b\*.txt`), nil, []string{"b/4.txt"}},
		{"hidden files", source.Env{}, map[string]any{"skip_hidden": true}, []string{"a", "a/1.txt", "a/2.md", "b", "b/4.txt", "b/deep", "b/deep/5.txt", "~$6.docx"}},
		{"excluded", source.Env{}, map[string]any{"exclude": []any{"docs/*/a", "**/~$*", "**/deep/*"}}, []string{"b", "b/4.txt", "b/deep"}},
	}
	for _, tt := range tests {
		docs, failed := readEach(t, opened(t, s.values(name, tt.more), tt.env))
		if diff := cmp.Diff(tt.want, names(docs)); diff != "" || len(failed) > 0 {
			t.Errorf("%s (-want +got), failed %v:\n%s", tt.rule, failed, diff)
		}
	}
}

func TestDeepTreesAndLargeFolders(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	entries := map[string]string{strings.Repeat("d/", 200) + "deep.txt": "deep"}
	for i := range 2500 {
		entries[fmt.Sprintf("many/%04d.txt", i)] = ""
	}
	name, _ := s.folderOf(t, entries)
	docs, failed := readEach(t, opened(t, s.values(name, nil), source.Env{}))
	if want := 200 + 1 + 1 + 2500; len(docs) != want || len(failed) > 0 {
		t.Errorf("got %d documents, failed %d; want %d", len(docs), len(failed), want)
	}
}

// proxy passes connections on to the server. cut, when it is greater than 0, closes each of them after so
// many bytes of answers, once per connection that is counted by cuts.
type proxy struct {
	net.Listener
	to        string
	after     int64
	remaining atomic.Int64 // cuts to make
	opened    atomic.Int64
}

func newProxy(t *testing.T, to string, after, cuts int64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to, after: after}
	p.remaining.Store(cuts)
	t.Cleanup(func() { _ = l.Close() })
	go p.serve()
	return p
}

func (p *proxy) serve() {
	for {
		from, err := p.Accept()
		if err != nil {
			return
		}
		p.opened.Add(1)
		go p.pass(from)
	}
}

func (p *proxy) pass(from net.Conn) {
	defer func() { _ = from.Close() }()
	to, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
	if p.remaining.Load() > 0 {
		_, _ = io.CopyN(from, to, p.after)
		p.remaining.Add(-1)
		return
	}
	_, _ = io.Copy(from, to)
}

// A connection that is cut in the middle of a listing is established again; the folder is listed to its end, and
// nothing comes twice.
func TestConnectionLostWhileListing(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	entries := map[string]string{}
	for i := range 3000 {
		entries[fmt.Sprintf("many/%04d %s.txt", i, strings.Repeat("x", 150))] = ""
	}
	name, _ := s.folderOf(t, entries)
	for _, after := range []int64{700, 100_000, 900_000, 1_500_000} {
		p := newProxy(t, s.address, after, 3)
		_, port, _ := net.SplitHostPort(p.Addr().String())
		src := opened(t, s.values(name, map[string]any{"server_port": port}), source.Env{})
		src.(*drive).server.wait = time.Millisecond
		seen := map[string]int{}
		for part, err := range src.Parts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			for doc, err := range part.Documents(t.Context()) {
				if err != nil {
					t.Fatalf("cut after %d bytes: %v", after, err)
				}
				seen[doc.ID]++
			}
		}
		twice := 0
		for _, n := range seen {
			twice += n - 1
		}
		if len(seen) != 3001 || twice > 0 || p.opened.Load() < 2 {
			t.Errorf("cut after %d bytes: got %d documents, %d of them again, over %d connections; want 3001", after, len(seen), twice, p.opened.Load())
		}
	}
}

// A connection that is cut for good fails the folder, and what was listed of it is no end.
func TestConnectionThatStaysCut(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, _ := s.folderOf(t, map[string]string{"a.txt": "a", "sub/b.txt": "b"})
	p := newProxy(t, s.address, 900, 1<<40)
	_, port, _ := net.SplitHostPort(p.Addr().String())
	src := opened(t, s.values(name, map[string]any{"server_port": port}), source.Env{})
	src.(*drive).server.wait = time.Millisecond
	failed := 0
	for part, err := range src.Parts(t.Context()) {
		if err != nil {
			failed++
			break
		}
		for _, err := range part.Documents(t.Context()) {
			if err != nil && errors.Is(err, source.ErrTemporary) {
				failed++
			}
		}
	}
	if failed == 0 {
		t.Error("no part failed")
	}
}

// A server that takes connections and says nothing does not hold the run for ever, and the end of the run ends what
// waits for it.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	silent := func() (net.Listener, *drive) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		_, port, _ := net.SplitHostPort(l.Addr().String())
		src := opened(t, samba{address: l.Addr().String(), share: "docs", user: "u", password: "p"}.values("", map[string]any{"server_port": port}), source.Env{})
		d := src.(*drive)
		d.server.wait = time.Millisecond
		return l, d
	}
	_, d := silent()
	d.server.limit = 50 * time.Millisecond
	if err := d.Ping(t.Context()); !errors.Is(err, source.ErrTemporary) {
		t.Errorf("got %v, want ErrTemporary", err)
	}
	l, d := silent()
	d.server.limit = time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	over := errors.New("over")
	go func() { // ends with the first request, or when the listener is closed
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 1)) // what it asks first; it waits for the answer now
		cancel(over)
		_, _ = io.Copy(io.Discard, conn) // until it hangs up
	}()
	if err := d.Ping(ctx); !errors.Is(err, over) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

// A file that changes between listing and reading is not read with the metadata of another version.
func TestFileThatChangesAfterListing(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, local := s.folderOf(t, map[string]string{"a.txt": "old"})
	docs, _ := readEach(t, opened(t, s.values(name, nil), source.Env{}))
	if err := os.WriteFile(filepath.Join(local, "a.txt"), []byte("newer"), 0o666); err != nil {
		t.Fatal(err)
	}
	if text, err := contentOf(t.Context(), docs["a.txt"]); err == nil {
		t.Errorf("got %q without error", text)
	}
}
