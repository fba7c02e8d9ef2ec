package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// TestAServiceThatComesBackIsTriedAgain: refusals that pass, and connections that end, cost no text.
func TestAServiceThatComesBackIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hangUp := func(w http.ResponseWriter) {
			c, _, _ := w.(http.Hijacker).Hijack()
			_ = c.Close()
		}
		for name, fail := range map[string]func(http.ResponseWriter){
			"429":                    func(w http.ResponseWriter) { w.WriteHeader(429) },
			"502":                    func(w http.ResponseWriter) { w.WriteHeader(502) },
			"503":                    func(w http.ResponseWriter) { w.Header().Set("Retry-After", "5"); w.WriteHeader(503) },
			"504":                    func(w http.ResponseWriter) { w.WriteHeader(504) },
			"500":                    func(w http.ResponseWriter) { w.WriteHeader(500) },
			"a connection that ends": hangUp,
			"an answer that is cut": func(w http.ResponseWriter) {
				text(w, strings.Repeat("half of it", 10_000))
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
			"less than was announced": func(w http.ResponseWriter) {
				w.Header().Set("Content-Length", "100")
				text(w, "half")
				hangUp(w)
			},
		} {
			var calls atomic.Int32
			s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if calls.Add(1) == 1 {
					fail(w)
					return
				}
				text(w, "words")
			})
			opened := 0
			c := content("a.pdf", "%PDF")
			open := c.Open
			c.Open = func(ctx context.Context) (io.ReadCloser, error) { opened++; return open(ctx) }
			got, _, err := s.Text(t.Context(), c, noLimit)
			if err != nil || got.Text != "words" || opened != 2 {
				t.Errorf("%s: %+v, %v, opened %d times", name, got, err, opened)
			}
		}
	})
}

// TestOneBadFileCostsItsNeighborsNothing: a file hangs the service, which ends all it has under way and
// refuses everything for some seconds. All but that file have their text in the same run.
func TestOneBadFileCostsItsNeighborsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begun := time.Now()
		var mu sync.Mutex
		restarts := begun.Add(3 * time.Second) // it has just been started
		ending := make(chan struct{})
		s := serve(t, Elastic, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			refuses, end := time.Now().Before(restarts), ending
			mu.Unlock()
			switch {
			case refuses:
				w.WriteHeader(http.StatusBadGateway)
			case string(body) == "file 7":
				select {
				case <-r.Context().Done():
				case <-time.After(patient / 2): // then its own watchdog ends it
				}
				mu.Lock()
				restarts = time.Now().Add(3 * time.Second)
				close(ending)
				ending = make(chan struct{})
				mu.Unlock()
				panic(http.ErrAbortHandler)
			default:
				select {
				case <-end:
					panic(http.ErrAbortHandler)
				case <-time.After(5 * time.Second):
					extracted(w, string(body))
				}
			}
		})
		var wg sync.WaitGroup
		var next atomic.Int32
		failed := make(chan string, 40)
		for range 4 {
			wg.Go(func() {
				for n := next.Add(1); n <= 40; n = next.Add(1) {
					name := fmt.Sprint("file ", n)
					got, _, err := s.Text(t.Context(), content("a.pdf", name), noLimit)
					if err == nil && got.Text != name {
						t.Errorf("%s: %+v", name, got)
					}
					if err != nil {
						failed <- name
					}
				}
			})
		}
		wg.Wait()
		close(failed)
		for name := range failed {
			if name != "file 7" {
				t.Errorf("%s has no text", name)
			}
		}
	})
}

// TestASilentServiceTimesOut: one that takes a file and says nothing, one that takes
// nothing, one that sends a byte now and then, and one that never ends its answer. A file that it was
// silent about is not sent again.
func TestASilentServiceTimesOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		large := &document.Content{Name: "a.pdf", Size: 1 << 20, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(zeros{}, 1<<20)), nil
		}}
		for name, tc := range map[string]struct {
			handler http.HandlerFunc
			calls   int32
		}{
			"takes nothing": {func(http.ResponseWriter, *http.Request) { <-time.After(2 * patient) }, minFailures},
			"silent when it has all": {func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			}, 1},
			"a byte now and then": {func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				for r.Context().Err() == nil {
					text(w, "a")
					w.(http.Flusher).Flush()
					<-time.After(patient / 3)
				}
			}, 1},
			"no end": {func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				text(w, "words")
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}, 1},
		} {
			begun := time.Now()
			var calls atomic.Int32
			s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) { calls.Add(1); tc.handler(w, r) })
			_, _, err := s.Text(t.Context(), large, noLimit)
			if err == nil || !strings.Contains(err.Error(), "no progress for 1m0s") || calls.Load() != tc.calls {
				t.Errorf("%s: %v, asked %d times", name, err, calls.Load())
			}
			if took := time.Since(begun); took > time.Duration(tc.calls+2)*patient {
				t.Errorf("%s: gave up after %s", name, took)
			}
		}
	})
}

// TestProgressIsNotSilence: a large file that is taken slowly, and a long text that is made slowly, take
// longer than the timeout as a whole.
func TestProgressIsNotSilence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const size = 10 << 20
		s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
			buf, total := make([]byte, 64<<10), 0
			for {
				n, err := io.ReadFull(r.Body, buf)
				total += n
				if err != nil {
					break
				}
				<-time.After(patient / 3)
			}
			<-time.After(patient * 9 / 10)
			for range 10 {
				text(w, strings.Repeat("a", 80<<10))
				w.(http.Flusher).Flush()
				<-time.After(patient / 2)
			}
			text(w, fmt.Sprint(total))
		})
		c := &document.Content{Name: "a.pdf", Size: size, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(zeros{}, size)), nil
		}}
		got, _, err := s.Text(t.Context(), c, noLimit)
		if err != nil || !strings.HasSuffix(got.Text, fmt.Sprint(size)) || got.Cut {
			t.Errorf("%d bytes, %v, %v", len(got.Text), got.Cut, err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestAnUnreachableServiceCostsMinutesNotDays: a hundred thousand documents do not each wait for it, and
// when it is back, the rest have their text.
func TestAnUnreachableServiceCostsMinutesNotDays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var gone atomic.Bool
		gone.Store(true)
		var calls atomic.Int32
		var states []string
		s := serve(t, Tika, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if calls.Add(1); gone.Load() {
				<-r.Context().Done() // it accepts, and says nothing
				return
			}
			text(w, "words")
		}, func(o *ServiceOptions) {
			o.Changed = func(err error) { states = append(states, fmt.Sprint(err != nil)) }
		})
		begun := time.Now()
		for i := range 100_000 {
			if _, _, err := s.Text(t.Context(), content("a.pdf", "%PDF"), noLimit); err == nil || !strings.Contains(err.Error(), "a.pdf") {
				t.Fatalf("%d: %v", i, err)
			}
		}
		if took := time.Since(begun); took > 10*patient {
			t.Errorf("all of them took %s", took)
		}
		gone.Store(false)
		<-time.After(patient)
		for i := range 10 {
			if got, _, err := s.Text(t.Context(), content("a.pdf", "%PDF"), noLimit); err != nil || got.Text != "words" {
				t.Errorf("%d, when it is back: %+v, %v", i, got, err)
			}
		}
		if got := strings.Join(states, " "); got != "true false" {
			t.Errorf("said: %s", got)
		}
	})
}

// TestARefusedConnectionIsWaitedForOnce: no one listens, from the first document on.
func TestARefusedConnectionIsWaitedForOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := NewService(ServiceOptions{
			URL: "http://service", Timeout: patient, Piece: 1, MaxText: 1, Patience: 2 * patient, Retry: serve(t, Tika, nil).opts.Retry,
			Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }),
		})
		if _, err := s.Start(t.Context()); err == nil || errors.Is(err, ErrNoService) {
			t.Errorf("at the start: %v", err)
		}
		begun := time.Now()
		for range 1000 {
			if _, _, err := s.Text(t.Context(), content("a.pdf", "x"), noLimit); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took < 2*patient || took > 3*patient {
			t.Errorf("waited %s in all, want some more than %s", took, 2*patient)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestACancelledRunDoesNotWait: neither for an answer nor for another attempt, and the service is not
// blamed.
func TestACancelledRunDoesNotWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, handler := range map[string]http.HandlerFunc{
			"for an answer":  func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
			"for an attempt": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "30"); w.WriteHeader(503) },
		} {
			s := serve(t, Tika, handler)
			ended := errors.New("ended")
			ctx, cancel := context.WithCancelCause(t.Context())
			begun := time.Now()
			time.AfterFunc(time.Second, func() { cancel(ended) })
			_, _, err := s.Text(ctx, content("a.pdf", "x"), noLimit)
			if err == nil || time.Since(begun) != time.Second {
				t.Errorf("%s: %v after %s", name, err, time.Since(begun))
			}
			if name == "for an answer" && (!errors.Is(err, ended) || s.outage.failures != 0) {
				t.Errorf("%s: %v, %d failures", name, err, s.outage.failures)
			}
		}
	})
}
