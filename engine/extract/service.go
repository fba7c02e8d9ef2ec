package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Kind is which protocol an extraction service speaks.
type Kind string

// The kinds.
const (
	// Elastic is Elastic's data extraction service,
	// https://www.elastic.co/docs/reference/search-connectors/es-connectors-content-extraction.
	Elastic Kind = "elastic"
	// Tika is the server of Apache Tika, https://cwiki.apache.org/confluence/display/TIKA/TikaServer.
	Tika Kind = "tika"
)

// ErrNoService is of a host that answers, but not as an extraction service does: waiting does not help.
var ErrNoService = errors.New("is not an extraction service")

// ServiceOptions say where an extraction service is and how patient its client is.
type ServiceOptions struct {
	URL       string
	Kind      Kind          // "" finds out
	Timeout   time.Duration // how long it may neither take nor send a piece of Piece bytes
	Piece     int64
	SharedDir string // where files are put for it to read; "" sends them. Only Elastic's can read them
	MaxText   int64  // bytes of text; what is longer is cut
	MaxFile   int64  // bytes of a file, 0 is any size
	Transport http.RoundTripper
	Retry     retry.Policy  // between attempts at one document
	Patience  time.Duration // how long it may fail without a success between before it counts as down
	// Changed is called when the service is taken for down, with the reason, and with nil when it is back.
	Changed func(error)
}

// Service is the client of an extraction service. Its methods may be called from several goroutines.
type Service struct {
	opts   ServiceOptions
	client *http.Client
	outage outage

	mu   sync.Mutex
	kind Kind // "" is not known yet
}

// NewService makes a client. It sends nothing.
func NewService(o ServiceOptions) *Service {
	if o.Changed == nil {
		o.Changed = func(error) {}
	}
	o.URL = strings.TrimRight(o.URL, "/")
	return &Service{
		opts: o, kind: o.Kind, outage: outage{patience: o.Patience, probe: o.Timeout},
		client: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Skip tells, without opening it, whether content will be skipped.
func (s *Service) Skip(c *document.Content) Skipped {
	if s.opts.MaxFile > 0 {
		return skip(c, s.opts.MaxFile, attachable(c.Name))
	}
	return skip(c, max(c.Size, 0), attachable(c.Name))
}

// Start finds out what the service is before the first document is sent, and whether files can be put where
// it reads them. Its error is of kind [ErrNoService] where waiting does not help.
func (s *Service) Start(ctx context.Context) (Kind, error) {
	if dir := s.opts.SharedDir; dir != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", fmt.Errorf("%w: extraction_service.shared_volume_dir: %s is no folder here", ErrNoService, dir)
		}
	}
	return s.Find(ctx)
}

// Find says what the service is. It is asked unless that is known.
func (s *Service) Find(ctx context.Context) (Kind, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kind != "" {
		return s.kind, nil
	}
	ping, err := s.get(ctx, "/ping/")
	if err == nil && ping.status == http.StatusOK && !ping.html {
		s.kind = Elastic
		return s.kind, nil
	}
	greeting, terr := s.get(ctx, "/tika")
	if terr == nil && greeting.status == http.StatusOK && strings.Contains(greeting.text, "Tika") {
		if s.opts.SharedDir != "" {
			return "", fmt.Errorf("%s %w that reads files of a shared folder: it is Apache Tika's server; remove extraction_service.use_file_pointers", s.opts.URL, ErrNoService)
		}
		s.kind = Tika
		return s.kind, nil
	}
	for _, e := range []error{err, terr} {
		if e != nil {
			return "", e
		}
	}
	return "", fmt.Errorf("%s %w: GET /ping/ answers %d and GET /tika %d, neither as Elastic's service nor as Apache Tika's server does",
		s.opts.URL, ErrNoService, ping.status, greeting.status)
}

// greeting is the beginning of an answer to a GET.
type greeting struct {
	status int
	html   bool
	text   string
}

// maxGreeting is how much of an answer is read that is no text of a document.
const maxGreeting = 4 << 10

// get asks for a short answer. Its error is a [*busyError].
func (s *Service) get(ctx context.Context, path string) (greeting, error) {
	ctx, w := watched(ctx, s.opts.Timeout, s.opts.Piece)
	defer w.stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.opts.URL+path, http.NoBody)
	if err != nil {
		return greeting{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return greeting{}, &busyError{err: s.reason(ctx, err)}
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if busy(resp.StatusCode) {
		return greeting{}, &busyError{err: fmt.Errorf("%s answers %s", s.opts.URL, resp.Status), after: retryAfter(resp)}
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxGreeting))
	if err != nil {
		return greeting{}, &busyError{err: s.reason(ctx, err)}
	}
	return greeting{status: resp.StatusCode, html: isHTML(resp), text: string(text)}, nil
}

// reason is why a request was not answered, without its address twice.
func (s *Service) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", s.opts.URL, err)
}

// maxAttempts is how often a document is sent to a service that answers for others.
const maxAttempts = 5

// Text has the service make text of content. grow is asked before an answer may take so many bytes of
// memory, again whenever it is larger; its error ends the call. What comes back otherwise is as in [Text]:
// an error is one of Open or of reading, or says why the service made no text of this content.
func (s *Service) Text(ctx context.Context, c *document.Content, grow func(bytes int64) error) (Extracted, Skipped, error) {
	if skipped := s.Skip(c); skipped != "" {
		return Extracted{}, skipped, nil
	}
	if down := s.outage.admit(time.Now()); down != nil {
		return Extracted{}, "", fmt.Errorf("make text of %q: %w", c.Name, down)
	}
	backoff, answered := s.opts.Retry.Start(), s.outage.answered()
	for attempt := 1; ; attempt++ {
		text, skipped, err := s.attempt(ctx, c, grow)
		if ctx.Err() != nil {
			return Extracted{}, "", context.Cause(ctx)
		}
		again, after := s.note(err, attempt)
		tries := attempt < maxAttempts || s.outage.answered() == answered // when it answers no one, it is the service
		if err == nil || !again || !tries || !backoff.Wait(ctx, after) {
			return text, skipped, err
		}
	}
}

// note takes an answer for a sign of life, and notes a failure. It reports whether another attempt may do
// better, and how long the service wants to be left alone before.
func (s *Service) note(err error, attempt int) (again bool, after time.Duration) {
	if e, ok := errors.AsType[*busyError](err); ok {
		if s.outage.failed(time.Now(), e.err) {
			s.opts.Changed(e.err)
		}
		return !e.last && !s.outage.down(time.Now()), e.after
	}
	e, refused := errors.AsType[*refusedError](err)
	if (err == nil || refused) && s.outage.succeeded() {
		s.opts.Changed(nil)
	}
	return refused && e.again && attempt == 1, 0
}

// busyError is of a service that did not answer, or asks to come back later: it is about the service, and
// not about the document.
type busyError struct {
	err   error
	after time.Duration // what it asks to wait
	last  bool          // it was silent when it had all of the document: that is not done to it again
}

func (e *busyError) Error() string { return e.err.Error() }
func (e *busyError) Unwrap() error { return e.err }

// refusedError is of a service that answered that it makes no text of a document.
type refusedError struct {
	err   error
	again bool // it is worth one more attempt
}

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }
