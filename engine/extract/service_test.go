package extract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// pipes is a listener whose connections are pipes, so that a server and its client share a clock of their own.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("connection refused")
	}
}

const (
	patient = time.Minute // Timeout of the services in these tests
	maxText = 1 << 20
)

// serve starts a service in the bubble of a test, and makes its client.
func serve(t *testing.T, kind Kind, handler http.HandlerFunc, change ...func(*ServiceOptions)) *Service {
	t.Helper()
	p := &pipes{make(chan net.Conn), make(chan struct{})}
	var wg sync.WaitGroup
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // it has no strangers for clients
		wg.Add(1) // the clock of a bubble stops with its test
		defer wg.Done()
		handler(w, r)
	})}
	wg.Go(func() { _ = server.Serve(p) })
	transport := &http.Transport{DialContext: p.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		wg.Wait()
	})
	o := ServiceOptions{
		URL: "http://service/", Kind: kind, Timeout: patient, Piece: 64 << 10, MaxText: maxText, Transport: transport, Patience: 2 * patient,
		Retry: retry.Policy{First: 500 * time.Millisecond, Max: 8 * time.Second, Patience: 24 * time.Hour},
	}
	for _, f := range change {
		f(&o)
	}
	return NewService(o)
}

// bubble runs a test on a clock of its own.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

func noLimit(int64) error { return nil }

func text(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
	_, _ = io.WriteString(w, s)
}

func extracted(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"_meta": map[string]any{"a": []string{"extracted_text"}}, "extracted_text": s})
}

// TestElasticsServiceIsSentBytes, in the way that its documentation says.
func TestElasticsServiceIsSentBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serve(t, Elastic, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if r.Method != http.MethodPut || r.RequestURI != "/extract_text/" || r.Header.Get("Content-Type") != "application/octet-stream" ||
				r.Header.Get("Accept") != "application/json" || r.ContentLength != -1 || err != nil || string(body) != "%PDF" {
				t.Errorf("%s %s %v: %q, %v", r.Method, r.RequestURI, r.Header, body, err)
			}
			extracted(w, " für dich\n")
		})
		got, skipped, err := s.Text(t.Context(), content("a.pdf", "%PDF"), noLimit)
		if want := (Extracted{Text: "für dich"}); err != nil || skipped != "" || got != want {
			t.Errorf("%+v, %q, %v", got, skipped, err)
		}
	})
}

// TestElasticsServiceIsShownFiles: by a path that it reads too, and only until it has answered.
func TestElasticsServiceIsShownFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b&c")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, Elastic, func(w http.ResponseWriter, r *http.Request) {
			path := r.URL.Query().Get("local_file_path")
			data, err := os.ReadFile(path)
			if err != nil || string(data) != "%PDF" || filepath.Ext(path) != ".pdf" || r.ContentLength != 0 {
				t.Errorf("%s: %q, %v", r.RequestURI, data, err)
			}
			extracted(w, "words")
		}, func(o *ServiceOptions) { o.SharedDir = dir })
		if _, err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, _, err := s.Text(t.Context(), content("a.pdf", "%PDF"), noLimit); err != nil || got.Text != "words" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, skipped, err := s.Text(t.Context(), &document.Content{Name: "a.pdf", Size: -1, Open: content("", "").Open}, noLimit); skipped != Empty {
			t.Errorf("an empty file: %q, %v", skipped, err)
		}
		broken := &document.Content{Name: "a.pdf", Size: 3, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(iotest.ErrReader(fs.ErrPermission)), nil
		}}
		if _, _, err := s.Text(t.Context(), broken, noLimit); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a file that cannot be read: %v", err)
		}
	})
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left over: %v, %v", left, err)
	}
	gone := NewService(ServiceOptions{URL: "http://service", SharedDir: dir + "gone", Timeout: patient})
	if _, err := gone.Start(t.Context()); !errors.Is(err, ErrNoService) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestTikaIsSentBytes: with the extension, and with nothing else of the name.
func TestTikaIsSentBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.Method != http.MethodPut || r.RequestURI != "/tika" || r.Header.Get("Accept") != "text/plain" || r.Header.Get("Content-Disposition") != `attachment; filename="content.DOCX"` {
				t.Errorf("%s %s %v", r.Method, r.RequestURI, r.Header)
			}
			if string(body) == "blank" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			text(w, "\n\nwords\n")
		})
		if got, _, err := s.Text(t.Context(), content("dir/a.b.DOCX", "PK"), noLimit); err != nil || got.Text != "words" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, skipped, err := s.Text(t.Context(), content("x.DOCX", "blank"), noLimit); err != nil || skipped != Empty {
			t.Errorf("204: %q, %v", skipped, err)
		}
		if plainExtension(`a.p"df`) != "" || plainExtension("a.pdf\n") != "" || plainExtension("a") != "" {
			t.Error("an extension that breaks the header is sent")
		}
	})
}

// TestWhichServiceItIs is found out once.
func TestWhichServiceItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		page := func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<title>Sign in</title>")
		}
		for name, tc := range map[string]struct {
			ping, tika func(http.ResponseWriter)
			want       Kind
			wrong      bool
		}{
			"Elastic's":          {func(w http.ResponseWriter) { text(w, "Running!") }, nil, Elastic, false},
			"Tika's":             {nil, func(w http.ResponseWriter) { text(w, "This is Tika Server (Apache Tika 3.3.1). Please PUT\n") }, Tika, false},
			"a login page":       {page, page, "", true},
			"nothing of both":    {nil, nil, "", true},
			"a Tika that starts": {nil, func(w http.ResponseWriter) { w.WriteHeader(503) }, "", false},
		} {
			var asked atomic.Int32
			s := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
				answer := map[string]func(http.ResponseWriter){"/ping/": tc.ping, "/tika": tc.tika}[r.URL.Path]
				asked.Add(1)
				if answer == nil {
					answer = func(w http.ResponseWriter) { w.WriteHeader(404) }
				}
				answer(w)
			})
			kind, err := s.Start(t.Context())
			pointers := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
				if answer := map[string]func(http.ResponseWriter){"/ping/": tc.ping, "/tika": tc.tika}[r.URL.Path]; answer != nil {
					answer(w)
				} else {
					w.WriteHeader(404)
				}
			}, func(o *ServiceOptions) { o.SharedDir = os.TempDir() })
			if shared, err := pointers.Start(t.Context()); tc.want == Tika && !errors.Is(err, ErrNoService) || tc.want == Elastic && shared != Elastic {
				t.Errorf("%s, with files in a folder: %q, %v", name, shared, err)
			}
			if kind != tc.want || errors.Is(err, ErrNoService) != tc.wrong || (err == nil) != (tc.want != "") {
				t.Errorf("%s: %q, %v", name, kind, err)
			}
			before := asked.Load()
			if again, _ := s.Find(t.Context()); again != kind || tc.want != "" && asked.Load() != before {
				t.Errorf("%s: asked again, %q", name, again)
			}
		}
	})
}

// TestInvalidResponses: with 200, and yet no text of the document. None is taken for a text.
func TestInvalidResponses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		write := func(contentType, body string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", contentType)
				_, _ = io.WriteString(w, body)
			}
		}
		for name, tc := range map[string]struct {
			kind   Kind
			answer http.HandlerFunc
			want   Extracted // where the error is ""
			err    string
		}{
			"an empty body":           {Elastic, write("application/json", ""), Extracted{}, "is not JSON"},
			"cut JSON":                {Elastic, write("application/json", `{"extracted_text":"wor`), Extracted{}, "is not JSON"},
			"only _meta":              {Elastic, write("application/json", `{"_meta":{}}`), Extracted{}, "no extracted_text"},
			"a text that is null":     {Elastic, write("application/json", `{"extracted_text":null}`), Extracted{}, "no extracted_text"},
			"an error":                {Elastic, write("application/json", `{"error":"Content Extraction Error","message":"X-TIKA:EXCEPTION - bad\nat Stack.trace"}`), Extracted{}, `returned "Content Extraction Error": "X-TIKA:EXCEPTION - bad"`},
			"a login page for JSON":   {Elastic, write("text/html; charset=utf-8", "<title>Sign in"), Extracted{}, "is it an extraction service?"},
			"a login page for text":   {Tika, write("text/html", "<title>Sign in"), Extracted{}, "is it an extraction service?"},
			"JSON for text":           {Tika, write("application/json", "{}"), Extracted{}, "is it an extraction service?"},
			"NUL and half characters": {Elastic, write("text/plain", `{"extracted_text":"a\u0000b \ud800 c"}`), Extracted{Text: "a\ufffdb \ufffd c", Mended: true}, ""},
			"bytes that are no text":  {Tika, write("text/plain", "a\x00\xffb"), Extracted{Text: "a\ufffd\ufffdb", Mended: true}, ""},
			"an unknown encoding": {Tika, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "br")
				text(w, "\x01\x02")
			}, Extracted{}, `encoding "br"`},
			"a redirection": {Tika, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://elsewhere/", http.StatusFound)
			}, Extracted{}, "302"},
			"encrypted":   {Tika, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(422) }, Extracted{}, "may be encrypted"},
			"unsupported": {Elastic, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(415) }, Extracted{}, "may be encrypted"},
			"too large":   {Elastic, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) }, Extracted{}, "413"},
			"a failure":   {Tika, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, Extracted{}, "500"},
		} {
			got, skipped, err := serve(t, tc.kind, tc.answer).Text(t.Context(), content("a.pdf", "%PDF"), noLimit)
			switch {
			case tc.err == "":
				if err != nil || got != tc.want {
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			case err == nil || !strings.Contains(err.Error(), tc.err) || !strings.Contains(err.Error(), `"a.pdf"`) || got != Extracted{} || skipped != "":
				t.Errorf("%s: %+v, %q, %v", name, got, skipped, err)
			}
			if err != nil && strings.Contains(err.Error(), "Stack") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestEndlessAnswersAreCut: at the limit, in memory that was asked for before.
func TestEndlessAnswersAreCut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		endless := func(contentType, begin, more string) http.HandlerFunc {
			more = strings.Repeat(more, 10_000)
			return func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", contentType)
				_, err := io.WriteString(w, begin)
				for err == nil {
					_, err = io.WriteString(w, more)
				}
			}
		}
		for name, tc := range map[string]struct {
			kind   Kind
			answer http.HandlerFunc
			want   string
		}{
			"text":                    {Tika, endless("text/plain", "", "aü"), strings.Repeat("aü", maxText/3) + "a"},
			"JSON":                    {Elastic, endless("application/json", `{"_meta":{"extracted_text":[{}]},"extracted_text":"`, "a"), strings.Repeat("a", maxText)},
			"JSON with escapes":       {Elastic, endless("application/json", `{"extracted_text":"`, `\u00fc\ud83d\ude00`), ""},
			"JSON with something yet": {Elastic, endless("application/json", `{"extracted_text":"short","more":"`, "a"), "short"},
			"JSON of nothing":         {Elastic, endless("application/json", `{"more":"`, "a"), "error"},
		} {
			var most int64
			s := serve(t, tc.kind, tc.answer)
			got, _, err := s.Text(t.Context(), content("a.pdf", "%PDF"), func(n int64) error { most = max(most, n); return nil })
			switch {
			case tc.want == "error":
				if err == nil {
					t.Errorf("%s: %+v", name, got)
				}
			case tc.want == "":
				if err != nil || !got.Cut || got.Mended || len(got.Text) < maxText/2 || strings.Trim(got.Text, "ü😀") != "" && !strings.HasSuffix(got.Text, "\ufffd") {
					t.Errorf("%s: %d bytes, %v", name, len(got.Text), err)
				}
			case err != nil || !got.Cut || got.Text != tc.want:
				t.Errorf("%s: %d bytes, want %d, %v", name, len(got.Text), len(tc.want), err)
			}
			if limit := int64(answerCopies * (2*maxText + maxGreeting)); most > limit {
				t.Errorf("%s: %d bytes of memory, more than %d", name, most, limit)
			}
		}
		denied := errors.New("no room")
		_, _, err := serve(t, Tika, endless("text/plain", "", "a")).Text(t.Context(), content("a.pdf", "x"), func(int64) error { return denied })
		if !errors.Is(err, denied) {
			t.Errorf("without room: %v", err)
		}
	})
}

// TestAnAnswerOfTheLimitIsWhole: only what is longer is cut.
func TestAnAnswerOfTheLimitIsWhole(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for size, cut := range map[int]bool{firstRead: false, 2 * firstRead: false, maxText: false, maxText + 1: true} {
			s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				text(w, strings.Repeat("a", size))
			})
			got, _, err := s.Text(t.Context(), content("a.txt", "x"), noLimit)
			if err != nil || got.Cut != cut || len(got.Text) != min(size, maxText) {
				t.Errorf("%d bytes: %d, %v, %v", size, len(got.Text), got.Cut, err)
			}
		}
	})
}

// TestWhatTheSourceSaysPassesThrough: it is about the content, and is not repeated.
func TestWhatTheSourceSaysPassesThrough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var asked atomic.Int32
		s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			text(w, "words")
		}, func(o *ServiceOptions) { o.MaxFile = 100_000 })
		opens := func(r io.Reader, err error) *document.Content {
			return &document.Content{Name: "a.pdf", Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
				if err != nil {
					return nil, err
				}
				return io.NopCloser(r), nil
			}}
		}
		replaced := &document.Replaced{Err: errors.New("replaced")}
		broken := errors.New("broken")
		for name, tc := range map[string]struct {
			c       *document.Content
			want    error
			skipped Skipped
		}{
			"gone":             {opens(nil, fs.ErrNotExist), fs.ErrNotExist, ""},
			"replaced":         {opens(nil, replaced), replaced, ""},
			"broken":           {opens(io.MultiReader(strings.NewReader("%PDF"), iotest.ErrReader(broken)), nil), broken, ""},
			"empty":            {opens(strings.NewReader(""), nil), nil, Empty},
			"grown":            {opens(strings.NewReader(strings.Repeat("x", 100_001)), nil), nil, TooLarge},
			"listed too large": {&document.Content{Name: "a.pdf", Size: 100_001}, nil, TooLarge},
			"of no known kind": {content("a.bin", "x"), nil, NotText},
			"listed empty":     {content("a.pdf", ""), nil, Empty},
		} {
			before := asked.Load()
			_, skipped, err := s.Text(t.Context(), tc.c, noLimit)
			if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) || skipped != tc.skipped || asked.Load() > before+1 {
				t.Errorf("%s: %q, %v, asked %d times", name, skipped, err, asked.Load()-before)
			}
		}
	})
}

// TestASlowSourceIsNotBlamedOnTheService: what a source takes to read does not count as silence of the service.
func TestASlowSourceIsNotBlamedOnTheService(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			text(w, fmt.Sprint(len(body)))
		})
		slow := &document.Content{Name: "a.pdf", Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
			<-time.After(10 * patient)
			return io.NopCloser(&slowly{left: 5, wait: 10 * patient}), nil
		}}
		if got, _, err := s.Text(t.Context(), slow, noLimit); err != nil || got.Text != "5" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// slowly gives a byte at a time.
type slowly struct {
	left int
	wait time.Duration
}

func (s *slowly) Read(p []byte) (int, error) {
	<-time.After(s.wait)
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	p[0] = 'a'
	return 1, nil
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"extracted_text":"a\u0000\ud83d\ude00"}`, `{"_meta":{"extracted_text":[{}]},"extracted_text":"aü`, `{"extracted_text":null,"error":"x"}`, "\xff\x00", `{"extracted_text":"\`,
	} {
		f.Add(s, uint16(10), true)
		f.Add(s, uint16(1000), false)
	}
	f.Fuzz(func(t *testing.T, body string, limit uint16, isJSON bool) {
		a := answer{r: strings.NewReader(body), limit: int64(limit) + 1, grow: noLimit}
		read := a.plain
		if isJSON {
			read = a.json
		}
		got, err := read()
		if err != nil {
			return
		}
		if text := got.Text; strings.ContainsRune(text, 0) || strings.ToValidUTF8(text, "") != text || len(text) > 3*(int(limit)+1) {
			t.Errorf("%q", text)
		}
		if !got.Cut && !isJSON && !got.Mended && strings.TrimSpace(body) != got.Text {
			t.Errorf("%q of %q", got.Text, body)
		}
	})
}
