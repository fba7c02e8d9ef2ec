package objectstest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sort"
	"strings"
	"testing"
	"time"
)

// Many is how many objects a benchmark of a listing has, a page of 5 ms at a time.
const Many = 1_000_000

// Listing is a bucket with many objects that responds as a store does, at so little cost that a benchmark measures the
// reading. It runs in a process of its own, so that it is not in the profile of the benchmark.
type Listing struct {
	// Entry is one object in a page, in which mark stands for its number.
	Entry, Between string
	// Page reads a request: the number of the first object, and how many there may be.
	Page func(url.Values) (first, most int)
	// Around is what precedes and follows the objects; end is the number of the next object, Many at the end.
	Around func(end int) (before, after string)
}

// mark stands for the number of an object.
const mark = "#######"

// KeyMark is the key of an object, as Listing.Entry has it.
const KeyMark = "folder/object-" + mark + ".txt"

// Key is the key of an object.
func Key(i int) string { return strings.Replace(KeyMark, mark, fmt.Sprintf("%07d", i), 1) }

// From is the number of the first object whose key is not before a text, or comes after it.
func From(text string, after bool) int {
	return sort.Search(Many, func(i int) bool { return Key(i) > text || !after && Key(i) == text })
}

// serves is set in the process that responds.
const serves = "OBJECTSTEST_SERVES"

// BenchmarkListing lists a large bucket, which values read.
func (s *Store[C, F]) BenchmarkListing(b *testing.B, values map[string]any, l *Listing) {
	if os.Getenv(serves) != "" {
		l.serve(b)
		return
	}
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$", "-test.bench=^"+b.Name()+"$", "-test.benchtime=1x") //nolint:gosec // this program
	cmd.Env = append(os.Environ(), serves+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "serving ")
	}
	src := s.Open(b, With(values, map[string]any{s.Endpoint: address}))
	for b.Loop() {
		if n, err := Count(b.Context(), src); err != nil || n != Many {
			b.Fatalf("got %d, %v", n, err)
		}
	}
	b.ReportMetric(float64(Many)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
	_ = in.Close() // which ends it
	_ = cmd.Wait() // its profile, if one is asked for, is not of interest
}

// serve responds until the standard input ends.
func (l *Listing) serve(b *testing.B) {
	socket, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: l, ReadHeaderTimeout: time.Minute}
	go func() { // ends with the benchmark's process
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = server.Close()
	}()
	_, _ = fmt.Fprintf(os.Stdout, "serving http://%s\n", socket.Addr())
	_ = server.Serve(socket) // until it is closed
}

// ServeHTTP implements [http.Handler].
func (l *Listing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := time.NewTimer(5 * time.Millisecond)
	defer t.Stop()
	<-t.C
	first, most := l.Page(r.URL.Query())
	end := min(first+most, Many)
	before, after := l.Around(end)
	w.Header().Set("Content-Type", map[bool]string{true: "application/json", false: "application/xml"}[strings.HasPrefix(before, "{")])
	page := append(make([]byte, 0, len(before)+(end-first)*(len(l.Entry)+len(l.Between))+len(after)), before...)
	var digits [len(mark)]byte
	for i := first; i < end; i++ {
		if i > first {
			page = append(page, l.Between...)
		}
		for d, n := len(digits)-1, i; d >= 0; d, n = d-1, n/10 {
			digits[d] = byte('0' + n%10)
		}
		for rest := l.Entry; ; {
			text, more, found := strings.Cut(rest, mark)
			page = append(page, text...)
			if !found {
				break
			}
			page, rest = append(page, digits[:]...), more
		}
	}
	_, _ = w.Write(append(page, after...))
}
