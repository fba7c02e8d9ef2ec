package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
)

func TestTime(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Time{
		"2020-01-02T03:04:05+00:00":        time.Date(2020, 1, 2, 4, 4, 5, 999, time.FixedZone("", 3600)),
		"2020-01-02T03:04:05.000001+00:00": time.Date(2020, 1, 2, 3, 4, 5, 1999, time.UTC),
		"1969-12-31T23:59:59.999999+00:00": time.Unix(-1, 999_999_999),
		"9999-12-31T23:59:59.999999+00:00": time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC),
		"0001-01-01T00:00:00+00:00":        time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	for want, at := range tests {
		if got := Time(at, "+00:00"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// memory is a tree in memory, in which some folders are others under another name.
type memory struct {
	fs    fstest.MapFS
	loops map[string]string // the path of a link to a folder, to that folder
	fails map[string]error  // listing of these folders breaks off after the first piece
	piece int
	quiet string // the listing of this folder just stops
}

func (m *memory) real(path string) string {
	for again := true; again; {
		again = false
		for from, to := range m.loops {
			if path == from || strings.HasPrefix(path, from+"/") {
				path, again = strings.TrimPrefix(to+strings.TrimPrefix(path, from), "/"), true
			}
		}
	}
	return path
}

func (m *memory) List(_ context.Context, folder string) iter.Seq2[[]fs.DirEntry, error] {
	return func(yield func([]fs.DirEntry, error) bool) {
		real := m.real(folder)
		entries, err := fs.ReadDir(m.fs, Name(real))
		if err != nil {
			yield(nil, err)
			return
		}
		for from, to := range m.loops {
			if Parent(from) == real {
				if info, err := fs.Stat(m.fs, Name(to)); err == nil {
					entries = append(entries, fs.FileInfoToDirEntry(named{info, from[strings.LastIndexByte(from, '/')+1:]}))
				}
			}
		}
		for piece := range slices.Chunk(entries, max(1, m.piece)) {
			if !yield(piece, nil) {
				return
			}
			if err := m.fails[real]; err != nil {
				yield(nil, err)
				return
			}
		}
		if real != m.quiet {
			yield(nil, io.EOF)
		}
	}
}

type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }

func (m *memory) Stat(_ context.Context, path string) (fs.FileInfo, error) {
	return fs.Stat(m.fs, Name(m.real(path)))
}

func (m *memory) Open(_ context.Context, path string) (File, error) { return m.fs.Open(m.real(path)) }

type everything struct{}

func (everything) Match(string) bool           { return true }
func (everything) CouldMatchBelow(string) bool { return true }

// walkOf reads all parts of a tree: the paths of its documents, the scopes that fail, and the strays.
func walkOf(t *testing.T, w *Walk) (read []string, failed map[string]error, strays []string) {
	t.Helper()
	w.Choice = everything{}
	w.Document = func(path string, _ fs.FileInfo) document.Document { return document.Document{ID: path} }
	w.Stray = func(path string) { strays = append(strays, path) }
	w.Explain = func(path string, err error) *source.Error { return &source.Error{Part: Name(path), Err: err} }
	r := sourcetest.Read(t, w.Parts(t.Context(), func() {}))
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	for _, doc := range r.Docs {
		read = append(read, doc.ID)
	}
	slices.Sort(read)
	return read, r.Failed, strays
}

func tree(names ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i, name := range names {
		m[name] = &fstest.MapFile{Data: []byte(name), ModTime: time.Unix(int64(i+1), 0)}
		for up := Parent(name); up != ""; up = Parent(up) {
			m[up] = &fstest.MapFile{Mode: fs.ModeDir, ModTime: time.Unix(int64(1000+len(m)), 0)}
		}
	}
	return m
}

func alike(a, b fs.FileInfo) bool { return a.ModTime().Equal(b.ModTime()) }

// Where a tree follows links to folders itself, a circle is seen by what it holds, and each folder is read
// once. A folder that only looks like the one above it is read.
func TestLoopsAreNotFollowed(t *testing.T) {
	t.Parallel()
	m := &memory{fs: tree("a/x.txt", "a/b/y.txt", "c/z.txt", "d/e/w.txt"), loops: map[string]string{
		"a/b/loop": "a", "a/up": "", "c/self": "c",
	}, piece: 10, quiet: "none"}
	same := time.Unix(5000, 0)
	m.fs["d"].ModTime, m.fs["d/e"].ModTime = same, same
	read, failed, strays := walkOf(t, &Walk{Tree: m, Alike: alike})
	slices.Sort(strays)
	if diff := cmp.Diff([]string{"a/b/loop", "a/up", "c/self"}, strays); diff != "" {
		t.Errorf("strays (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/b/y.txt", "a/x.txt", "c/z.txt", "d/e/w.txt"}, read); diff != "" || len(failed) > 0 {
		t.Errorf("(-want +got), failed %v:\n%s", failed, diff)
	}
}

// Folders of one name within each other are no circle, however alike they are.
func TestNestedFoldersOfTheSameNameAreNotALoop(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{2, 20, 35, 50, 200} {
		m := &memory{fs: tree(strings.Repeat("d/", depth) + "a.txt"), piece: 10, quiet: "none"}
		for path, f := range m.fs { // some levels do not look like the one above
			f.ModTime = time.Unix(int64(len(path)/80), 0)
		}
		read, failed, strays := walkOf(t, &Walk{Tree: m, Alike: alike})
		if len(read) != 1 || len(failed) > 0 || len(strays) > 0 {
			t.Errorf("%d deep: read %d, failed %d, strays %d; want the file", depth, len(read), len(failed), len(strays))
		}
	}
}

func TestTreeThatIsTooDeepFailsAlone(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("d/", maxDepth+1)
	m := &memory{fs: tree("a.txt", deep+"b.txt"), piece: 10, quiet: "none"}
	read, failed, _ := walkOf(t, &Walk{Tree: m, Alike: alike})
	scope := strings.TrimSuffix(deep, "/")
	if !cmp.Equal(read, []string{"a.txt"}) || len(failed) != 1 || failed[scope] == nil {
		t.Errorf("read %d, failed %d; want one of each", len(read), len(failed))
	}
}

// A listing that breaks off fails its folder, whatever came before; the folders below it that it named
// stay unread with it.
func TestListingThatBreaksOffFailsTheFolder(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	m := &memory{fs: tree("a/1.txt", "a/2.txt", "b/3.txt"), fails: map[string]error{"a": broken}, piece: 1, quiet: "none"}
	read, failed, _ := walkOf(t, &Walk{Tree: m})
	if !cmp.Equal(read, []string{"b/3.txt"}) || len(failed) != 1 || !errors.Is(failed["a"], broken) {
		t.Errorf("read %v, failed %v; want b/3.txt, and a failed", read, failed)
	}
}

// A listing that just stops is no end, however quietly it does.
func TestListingThatJustStopsFailsTheFolder(t *testing.T) {
	t.Parallel()
	m := &memory{fs: tree("a/1.txt", "b/2.txt"), piece: 10, quiet: "a"}
	read, failed, _ := walkOf(t, &Walk{Tree: m})
	if !cmp.Equal(read, []string{"b/2.txt"}) || len(failed) != 1 || !errors.Is(failed["a"], errQuiet) {
		t.Errorf("read %v, failed %v; want b/2.txt, and a failed", read, failed)
	}
}

// Of several roots one that is absent fails alone; the root above them is listed all the same.
func TestOneOfSeveralRootsIsAbsent(t *testing.T) {
	t.Parallel()
	m := &memory{fs: tree("s/a/1.txt", "t/2.txt", "u/3.txt"), piece: 10, quiet: "none"}
	w := &Walk{Tree: m, Roots: []string{"s/a", "absent", "t"}}
	read, failed, _ := walkOf(t, w)
	if !cmp.Equal(read, []string{"s/a/1.txt", "t/2.txt"}) || len(failed) != 1 || !errors.Is(failed["absent"], fs.ErrNotExist) {
		t.Errorf("read %v, failed %v; want two files, and absent failed", read, failed)
	}
	var scopes []string
	for part := range w.Parts(t.Context(), func() {}) {
		scopes = append(scopes, part.Scope())
	}
	if diff := cmp.Diff([]string{"", "s/a", "absent", "t"}, scopes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type changing struct {
	*bytes.Reader
	stats []fs.FileInfo
}

func (c *changing) Close() error { return nil }
func (c *changing) Stat() (fs.FileInfo, error) {
	info := c.stats[0]
	c.stats = c.stats[1:]
	return info, nil
}

func TestContentThatChangedEndsWithAnError(t *testing.T) {
	t.Parallel()
	m := tree("a.txt", "longer.txt", "b.txt")
	info := func(name string) fs.FileInfo {
		i, err := m.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	before := info("a.txt") // 5 bytes
	tests := []struct {
		rule, text, read string
		after            fs.FileInfo
		want             error
	}{
		{"as it was", "12345", "12345", before, nil},
		{"it has grown", "1234567890", "12345", info("longer.txt"), ErrChanged},
		{"it has shrunk", "12", "12", info("longer.txt"), ErrChanged},
		{"it was written", "12345", "12345", info("b.txt"), ErrChanged},
	}
	for _, tt := range tests {
		f := &changing{bytes.NewReader([]byte(tt.text)), []fs.FileInfo{tt.after}}
		got, err := io.ReadAll(Content(f, before))
		if string(got) != tt.read || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %q, %v; want %q, %v", tt.rule, got, err, tt.read, tt.want)
		}
	}
}
