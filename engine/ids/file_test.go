package ids

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// inMemory is a file that fails on demand.
type inMemory struct {
	mu     sync.Mutex
	raw    []byte
	room   int   // bytes that it takes, 0 for any number
	broken error // of reading
	closed int
}

func (m *inMemory) ReadAt(p []byte, at int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return 0, m.broken
	}
	if at > int64(len(m.raw)) {
		return 0, io.EOF
	}
	n := copy(p, m.raw[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *inMemory) WriteAt(p []byte, at int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	end := int(at) + len(p)
	if m.room > 0 && end > m.room {
		return 0, syscall.ENOSPC
	}
	if end > len(m.raw) {
		m.raw = append(m.raw, make([]byte, end-len(m.raw))...)
	}
	return copy(m.raw[at:], p), nil
}

func (m *inMemory) Close() error {
	m.closed++
	return nil
}

// fill adds n ids to a table that keeps nothing in memory, from the scan and as new ones, and returns
// the first error.
func fill(m *inMemory, held, fresh int) (*Table, error) {
	c := Collect(Options{open: func() (backing, error) { return m, nil }})
	b := c.Builder()
	for i := range held {
		if err := b.Add(fmt.Sprint("held ", i), 1); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	tab, err := c.Table()
	if err != nil {
		return nil, err
	}
	for i := range fresh {
		if _, err := tab.Mark(KeyOf(fmt.Sprint("new ", i)), 1); err != nil {
			return nil, errors.Join(err, tab.Close())
		}
	}
	return tab, nil
}

// TestAFullDiskIsAnError: while the scan is collected, while it is sorted, while new ids come.
func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ held, fresh, room int }{
		"collecting": {100_000, 0, 100 * blockBytes},
		"sorting":    {10_000, 0, 100 * blockBytes},
		"new ids":    {0, 10_000, 100 * blockBytes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &inMemory{room: tt.room}
			_, err := fill(m, tt.held, tt.fresh)
			if !errors.Is(err, ErrFile) || !errors.Is(err, syscall.ENOSPC) || m.closed != 1 {
				t.Fatalf("%v, closed %d times", err, m.closed)
			}
		})
	}
}

// TestAnErrorIsFinal: after a word could not be written or read, no look-up returns what may be wrong.
func TestAnErrorIsFinal(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*inMemory){
		"reading": func(m *inMemory) { m.broken = syscall.EIO },
		"writing": func(m *inMemory) { m.room = 1 },
		"cut":     func(m *inMemory) { m.raw = m.raw[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &inMemory{}
			tab, err := fill(m, 1000, 2000)
			if err != nil {
				t.Fatal(err)
			}
			good := inMemory{room: m.room, raw: m.raw}
			fail(m)
			if _, err := tab.Mark(KeyOf("held 1"), 1); !errors.Is(err, ErrFile) {
				t.Fatalf("Mark: %v", err)
			}
			m.room, m.broken, m.raw = good.room, good.broken, good.raw
			if _, err := tab.Mark(KeyOf("held 2"), 1); !errors.Is(err, ErrFile) {
				t.Fatalf("Mark after the error: %v", err)
			}
			if _, err := tab.State(KeyOf("held 2")); !errors.Is(err, ErrFile) {
				t.Fatalf("State: %v", err)
			}
			if err := tab.Exclude(KeyOf("held 2")); !errors.Is(err, ErrFile) {
				t.Fatalf("Exclude: %v", err)
			}
			if err := tab.Close(); err != nil || m.closed != 1 {
				t.Fatalf("Close: %v, closed %d times", err, m.closed)
			}
		})
	}
}

// TestBlocksAreUsedAgain: merging runs of new ids does not make the file grow beyond what is in it.
func TestBlocksAreUsedAgain(t *testing.T) {
	t.Parallel()
	const n = 50_000
	m := &inMemory{}
	tab, err := fill(m, 0, n)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for i := range tab.fresh {
		runs = max(runs, len(tab.fresh[i].runs))
	}
	// A partition has about 195 ids, which its set of four spills four at a time. Every run has a block
	// that is not full, and one is written before those that it replaces are free.
	if limit := n*recordBytes + 8*partitions*blockBytes; len(m.raw) > limit || runs > 8 {
		t.Fatalf("the file has %d bytes, want at most %d; %d runs", len(m.raw), limit, runs)
	}
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestMemoryIsKept: what is held never exceeds the limit and the least that is needed.
func TestMemoryIsKept(t *testing.T) {
	t.Parallel()
	const limit = 3 << 20
	c := collect(t, limit)
	builders := []*Builder{c.Builder(), c.Builder()}
	for i := range 150_000 {
		add(t, builders[i%2], fmt.Sprint("held ", i), 1)
		if used := c.mem.used.Load(); used > limit {
			t.Fatalf("%d bytes after %d ids", used, i)
		}
	}
	tab := tableOf(t, c)
	for i := range 150_000 {
		mark(t, tab, fmt.Sprint("new ", i), 1)
		if i%10_000 == 0 {
			slots := 0
			for p := range tab.fresh {
				slots += len(tab.fresh[p].slots) * recordBytes
			}
			if used := tab.mem.used.Load(); used > limit || used != int64(slots) {
				t.Fatalf("%d bytes counted, %d held after %d ids", used, slots, i)
			}
		}
	}
}

// TestTheFileIsOursAndLeavesNothing: readable by its owner alone, without a name where the system
// allows that, gone when it is closed; and not created where memory suffices.
func TestTheFileIsOursAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	on, err := openTemporary(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := on.(*temporary)
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if left := names(t, dir); info.Mode() != 0o600 || len(left) != 0 {
			t.Fatalf("mode %v, names %q", info.Mode(), left)
		}
	}
	if err := on.Close(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Fatalf("left: %q", left)
	}
	// Where a name could not be removed at once, it is at the end.
	named, err := os.CreateTemp(dir, "ids-*.tmp")
	if err != nil {
		t.Fatal(err)
	}
	if err := (&temporary{named, true}).Close(); err != nil || len(names(t, dir)) != 0 {
		t.Fatalf("%v, left: %q", err, names(t, dir))
	}
}

func TestFilesOfAKilledRunAreRemoved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a[b]c") // a folder's name is no pattern
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ids-1.tmp", "vanished.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := openTemporary(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); !slices.Equal(left, []string{"vanished.json"}) {
		t.Fatalf("left: %q", left)
	}
}

func TestTwoRunsMayRemoveTheSameFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	named, err := os.CreateTemp(dir, pattern)
	if err != nil {
		t.Fatal(err)
	}
	sweep(dir) // by another run, before the file lost its name by itself
	if err := (&temporary{named, true}).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNoFileIfMemorySuffices(t *testing.T) {
	t.Parallel()
	c := Collect(Options{Memory: 1 << 30, open: func() (backing, error) { return nil, errors.New("not needed") }})
	b := c.Builder()
	for i := range 1000 {
		add(t, b, fmt.Sprint(i), 1)
	}
	tab := tableOf(t, c)
	for i := range 2000 {
		mark(t, tab, fmt.Sprint(i), 1)
	}
}

func TestAFileThatCannotBeMadeIsNamed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := Collect(Options{Dir: filepath.Join(dir, "state")})
	add(t, c.Builder(), "a", 1)
	_, err := c.Table()
	if !errors.Is(err, ErrFile) || !strings.Contains(fmt.Sprint(err), dir) {
		t.Fatalf("%v", err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}
