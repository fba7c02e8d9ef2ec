//go:build unix

package dir

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

// canBeDenied reports whether permissions apply to the user who runs the tests.
var canBeDenied = os.Getuid() != 0

// deny takes all rights to a folder away for the time of a test.
func deny(t *testing.T, folder string) {
	t.Helper()
	if err := os.Chmod(folder, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Error(err)
		}
	})
}

// nobody is a user without rights, on any system.
const nobody = 65534

// root may read everything, so the tests of permissions run again as another user.
func TestAsAnotherUser(t *testing.T) {
	t.Parallel()
	if canBeDenied {
		t.Skip("the tests run as a user whom permissions bind")
	}
	temp := t.TempDir()
	for _, folder := range []string{temp, filepath.Dir(temp)} {
		if err := os.Chmod(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Skipf("the test binary cannot be run by a file descriptor: %v", err)
	}
	defer func() { _ = self.Close() }()
	// The folder of the binary may be closed to that user; an open file is not.
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3", "-test.v", "-test.run=^(TestContractFiles|TestDenied.*)$")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, test := range []string{"TestContractFiles/absolute/FailingPartIsTyped", "TestDeniedFolder", "TestDeniedRoot"} {
		if !bytes.Contains(out, []byte("--- PASS: "+test+" ")) {
			t.Errorf("%s has not run:\n%s", test, out)
		}
	}
}

func needsRights(t *testing.T) {
	t.Helper()
	if !canBeDenied {
		t.Skip("permissions do not bind this user; TestAsAnotherUser runs this as one whom they bind")
	}
}

// A folder that may not be listed fails alone. One that may be listed but not entered hides its files
// as well.
func TestDeniedFolder(t *testing.T) {
	needsRights(t)
	for _, mode := range []os.FileMode{0, 0o444} {
		for _, format := range []string{formatFiles, formatDocuments} {
			root := write(t, t.TempDir(), map[string]string{
				"a.csv": "id\n1\n", "shut/b.csv": "id\n2\n", "shut/below/c.csv": "id\n3\n", "open/d.csv": "id\n4\n",
			})
			deny(t, filepath.Join(root, "shut"))
			if err := os.Chmod(filepath.Join(root, "shut"), mode); err != nil {
				t.Fatal(err)
			}
			docs, scopes, failed := readEach(t, opened(t, map[string]any{"directory": root, "format": format}))
			err := failed["shut"]
			if len(docs) != 2 || len(failed) != 1 || !errors.Is(err, source.ErrAuth) || source.Hint(err) == "" {
				t.Errorf("%s, mode %o: got %d documents, scopes %q, failed %v; want 2, and shut failed with ErrAuth and a hint",
					format, mode, len(docs), scopes, failed)
			}
		}
	}
}

func TestDeniedRoot(t *testing.T) {
	needsRights(t)
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a"})
	deny(t, root)
	err := opened(t, map[string]any{"directory": root}).Ping(t.Context())
	if !errors.Is(err, source.ErrAuth) || source.Hint(err) == "" {
		t.Errorf("got %v, want ErrAuth with a hint", err)
	}
}

// A link into a folder that may not be entered is not a link that leads nowhere.
func TestDeniedLink(t *testing.T) {
	needsRights(t)
	root := write(t, t.TempDir(), map[string]string{"a/a.txt": "a", "shut/b.txt": "b"})
	link(t, "../shut/b.txt", filepath.Join(root, "a", "link.txt"))
	deny(t, filepath.Join(root, "shut"))
	_, _, failed := readEach(t, opened(t, map[string]any{"directory": root}))
	if !errors.Is(failed["a"], source.ErrAuth) || !errors.Is(failed["shut"], source.ErrAuth) {
		t.Errorf("got %v, want a and shut failed with ErrAuth", failed)
	}
}

func TestDeniedRecordFile(t *testing.T) {
	needsRights(t)
	root := write(t, t.TempDir(), map[string]string{"a.csv": "id\n1\n", "b.csv": "id\n2\n"})
	if err := os.Chmod(filepath.Join(root, "b.csv"), 0); err != nil {
		t.Fatal(err)
	}
	docs, _, failed := readEach(t, opened(t, map[string]any{"directory": root, "format": formatDocuments}))
	if len(docs) != 1 || !errors.Is(failed["b.csv"], source.ErrAuth) {
		t.Errorf("got %d documents, failed %v; want 1, and b.csv failed with ErrAuth", len(docs), failed)
	}
}

func link(t *testing.T, to, from string) {
	t.Helper()
	if err := os.Symlink(to, from); err != nil {
		t.Fatal(err)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	outside := write(t, t.TempDir(), map[string]string{"secret.txt": "no", "dir/secret.txt": "no"})
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a", "sub/b.txt": "b"})
	link(t, "../a.txt", filepath.Join(root, "sub", "inside.txt"))
	link(t, filepath.Join(outside, "secret.txt"), filepath.Join(root, "outside.txt"))
	link(t, filepath.Join("..", "..", filepath.Base(outside), "secret.txt"), filepath.Join(root, "sub", "up.txt"))
	link(t, filepath.Join(outside, "dir"), filepath.Join(root, "outside.d"))
	link(t, "sub", filepath.Join(root, "folder.d"))
	link(t, "..", filepath.Join(root, "sub", "loop.d"))
	link(t, "circle.txt", filepath.Join(root, "circle.txt"))
	link(t, "nowhere.txt", filepath.Join(root, "broken.txt"))

	var log bytes.Buffer
	src := openedLog(t, map[string]any{"directory": root, "id_path": pathRelative}, &log)
	docs, scopes, failed := readEach(t, src)
	if diff := cmp.Diff([]string{"a.txt", "sub/b.txt", "sub/inside.txt"}, paths(t, docs)); diff != "" || len(failed) > 0 {
		t.Errorf("paths (-want +got), failed %v:\n%s", failed, diff)
	}
	if diff := cmp.Diff([]string{"", "sub"}, scopes); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	for _, d := range docs {
		if text(t, d, "path") == "sub/inside.txt" {
			if got, err := openContent(t.Context(), d); got != "a" || err != nil {
				t.Errorf("target of the link: got %q, %v; want the file's content", got, err)
			}
		}
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "links=4") {
		t.Errorf("want one warning about 4 links, got:\n%s", &log)
	}
}

// A file that becomes a link out of the directory between listing and reading is not followed.
func TestLinkInPlaceOfAFile(t *testing.T) {
	t.Parallel()
	outside := write(t, t.TempDir(), map[string]string{"secret.txt": "no"})
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a"})
	d := read(t, map[string]any{"directory": root})["a.txt"]
	if err := os.Remove(filepath.Join(root, "a.txt")); err != nil {
		t.Fatal(err)
	}
	link(t, filepath.Join(outside, "secret.txt"), filepath.Join(root, "a.txt"))
	if got, err := openContent(t.Context(), d); got != "" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %q, %v; want fs.ErrNotExist", got, err)
	}
}

// Pipes, sockets and devices are no files; opening one must not wait for a writer.
func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a", "b.csv": "id\n1\n"})
	if err := syscall.Mkfifo(filepath.Join(root, "pipe.csv"), 0o644); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	link(t, "pipe.csv", filepath.Join(root, "link.csv"))
	docs, _, _ := readEach(t, opened(t, map[string]any{"directory": root, "id_path": pathRelative}))
	if diff := cmp.Diff([]string{"a.txt", "b.csv"}, paths(t, docs)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.Remove(filepath.Join(root, "a.txt")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "a.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(docs, func(d document.Document) bool { return text(t, d, "path") == "a.txt" })
	if _, err := openContent(t.Context(), docs[i]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a pipe in place of a file: got %v, want fs.ErrNotExist", err)
	}
}

// Names are bytes: two that differ in bytes that are not UTF-8 are two documents, and the scope of
// the content of such a folder is known from the index.
func TestStrangeNames(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	long := strings.Repeat("n", 251) + ".txt"
	if err := os.WriteFile(root+"/\xff.txt", nil, 0o600); err != nil {
		t.Skipf("this file system wants UTF-8: %v", err)
	}
	write(t, root, map[string]string{
		"\xfe.txt": "", "a\nb.txt": "", long: "", "d\xff\xff/x.txt": "x", `back\slash.txt`: "", "a%b c.txt": "",
	})
	raw := map[string]any{"directory": root, "id_path": pathRelative}
	docs, scopes, failed := readEach(t, opened(t, raw))
	ids := map[string]bool{}
	for _, d := range docs {
		ids[d.ID] = true
	}
	if len(docs) != 7 || len(ids) != 7 || len(failed) != 0 {
		t.Errorf("got %d documents with %d ids, failed %v; want 7", len(docs), len(ids), failed)
	}
	want := []string{"a\nb.txt", "a%b c.txt", `back\slash.txt`, "d\ufffd\ufffd/x.txt", long, "\ufffd.txt", "\ufffd.txt"}
	slices.Sort(want)
	got := paths(t, docs)
	for i := range got {
		got[i] = files.Shown(got[i])
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	v, err := field.Parse(Type.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	scope, ok := Type.ScopeOf(v, map[string]any{"path": "d\ufffd\ufffd/x.txt"})
	if !ok || !slices.Contains(scopes, scope) {
		t.Errorf("ScopeOf returns %q, %t; the scopes are %q", scope, ok, scopes)
	}
}

func TestModeAndOwner(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"a.txt": "a"})
	if err := os.Chmod(filepath.Join(root, "a.txt"), 0o640); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, f := range read(t, map[string]any{"directory": root})["a.txt"].Fields {
		if f.Value.Kind() == document.KindInt {
			got[f.Name] = f.Value.Int()
		}
	}
	want := map[string]int64{
		"inode_protection_mode": 0o100640, "uid": int64(os.Getuid()), "gid": got["gid"], "size": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A mounted map of Kubernetes: ..data is a link to a folder with a time in its name, each file a link into
// it. What begins with two dots and is a file is a file.
func TestMountedMapIsReadOnce(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{"..2026_01_01/a.csv": "id\n1\n", "..b.csv": "id\n2\n"})
	link(t, "..2026_01_01", filepath.Join(root, "..data"))
	link(t, "..data/a.csv", filepath.Join(root, "a.csv"))
	link(t, "..data/a.csv", filepath.Join(root, "..c.csv"))
	for format, want := range map[string]int{formatFiles: 2, formatDocuments: 2} {
		docs, _, failed := readEach(t, opened(t, map[string]any{"directory": root, "format": format}))
		if len(docs) != want || len(failed) != 0 {
			t.Errorf("%s: got %d documents, failed %v; want %d", format, len(docs), failed, want)
		}
	}
}
