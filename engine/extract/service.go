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

// Kind is the protocol of an extraction service.
type Kind string

// The kinds.
const (
	// Elastic is Elastic's data extraction service,
	// https://www.elastic.co/docs/reference/search-connectors/es-connectors-content-extraction.
	Elastic Kind = "elastic"
	// Tika is the server of Apache Tika, https://cwiki.apache.org/confluence/display/TIKA/TikaServer.
	Tika Kind = "tika"
)

// ErrNoService means that a host responds, but not as an extraction service does: waiting does not help.
var ErrNoService = errors.New("is not an extraction service")

// ServiceOptions define where an extraction service is and how patient its client is.
type ServiceOptions struct {
	URL       string
	Kind      Kind          // "": detect it
	Timeout   time.Duration // how long it may neither accept nor send Piece bytes
	Piece     int64
	SharedDir string // the folder for files that it reads; "": send them. Only Elastic's service reads a folder
	MaxText   int64  // bytes of text; longer text is truncated
	MaxFile   int64  // bytes of a file; 0: any size
	Transport http.RoundTripper
	Retry     retry.Policy  // between attempts at one document
	Patience  time.Duration // how long it may fail without a success before it counts as down
	// Changed is called with the reason when the service counts as down, and with nil when it is back.
	Changed func(error)
}

// Service is the client of an extraction service. Its methods are safe for concurrent use.
type Service struct {
	opts   ServiceOptions
	client *http.Client
	outage outage

	mu   sync.Mutex
	kind Kind // "": not known yet
}

// NewService creates a client. It sends nothing.
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

// Skip reports, without opening it, whether content will be skipped.
func (s *Service) Skip(c *document.Content) Skipped {
	if s.opts.MaxFile > 0 {
		return skip(c, s.opts.MaxFile, attachable(c.Name))
	}
	return skip(c, max(c.Size, 0), attachable(c.Name))
}

// Start detects the kind of the service before the first document is sent, and checks whether the shared
// folder exists. Its error is of kind [ErrNoService] if waiting does not help.
func (s *Service) Start(ctx context.Context) (Kind, error) {
	if dir := s.opts.SharedDir; dir != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", fmt.Errorf("%w: extraction_service.shared_volume_dir: %s is not a folder on this machine", ErrNoService, dir)
		}
	}
	return s.Find(ctx)
}

// Find returns the kind of the service, with a request unless it is known.
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
	return "", fmt.Errorf("%s %w: GET /ping/ returned %d and GET /tika %d, unlike Elastic's service and Apache Tika's server",
		s.opts.URL, ErrNoService, ping.status, greeting.status)
}

// greeting is the beginning of a response to a GET.
type greeting struct {
	status int
	html   bool
	text   string
}

// maxGreeting is how much is read of a response that is not the text of a document.
const maxGreeting = 4 << 10

// get requests a short response. Its error is a [*busyError].
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
		return greeting{}, &busyError{err: fmt.Errorf("%s returned %s", s.opts.URL, resp.Status), after: retryAfter(resp)}
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxGreeting))
	if err != nil {
		return greeting{}, &busyError{err: s.reason(ctx, err)}
	}
	return greeting{status: resp.StatusCode, html: isHTML(resp), text: string(text)}, nil
}

// reason is why a request got no response, without its address twice.
func (s *Service) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", s.opts.URL, err)
}

// maxAttempts is how often a document is sent to a service that responds to other requests.
const maxAttempts = 5

// Text extracts text from content with the service. grow is called before a response takes that many bytes of
// memory, again whenever it grows; its error ends the call. The other results are as in [Text]:
// an error comes from Open or from reading, or says why the service extracted no text from this content.
func (s *Service) Text(ctx context.Context, c *document.Content, grow func(bytes int64) error) (Extracted, Skipped, error) {
	if skipped := s.Skip(c); skipped != "" {
		return Extracted{}, skipped, nil
	}
	if down := s.outage.admit(time.Now()); down != nil {
		return Extracted{}, "", fmt.Errorf("extract text of %q: %w", c.Name, down)
	}
	backoff, answered := s.opts.Retry.Start(), s.outage.answered()
	for attempt := 1; ; attempt++ {
		text, skipped, err := s.attempt(ctx, c, grow)
		if ctx.Err() != nil {
			return Extracted{}, "", context.Cause(ctx)
		}
		again, after := s.note(err, attempt)
		tries := attempt < maxAttempts || s.outage.answered() == answered // if it responds to none, the service is to blame
		if err == nil || !again || !tries || !backoff.Wait(ctx, after) {
			return text, skipped, err
		}
	}
}

// note counts a response as a sign of life, and records a failure. again reports whether another attempt may
// succeed, and after how long the service wants no requests before it.
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

// busyError means that a service did not respond, or asks to come back later: the error is about the service,
// not about the document.
type busyError struct {
	err   error
	after time.Duration // the wait that it asks for
	last  bool          // it fell silent after receiving the complete document, which is not repeated
}

func (e *busyError) Error() string { return e.err.Error() }
func (e *busyError) Unwrap() error { return e.err }

// refusedError means that a service refused to extract text from a document.
type refusedError struct {
	err   error
	again bool // it is worth one more attempt
}

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }
