package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// attempt sends content once.
func (s *Service) attempt(ctx context.Context, c *document.Content, grow func(int64) error) (Extracted, Skipped, error) {
	kind, err := s.Find(ctx)
	if err != nil {
		return Extracted{}, "", err
	}
	ctx, w := watched(ctx, s.opts.Timeout, s.opts.Piece)
	defer w.stop()
	var r io.ReadCloser
	w.hold(func() { r, err = c.Open(ctx) })
	if err != nil {
		return Extracted{}, "", fmt.Errorf("read content of %q: %w", c.Name, err)
	}
	body := &upload{ctx: ctx, r: r, watch: w, limit: s.opts.MaxFile, done: make(chan struct{})}
	var text Extracted
	if s.opts.SharedDir != "" {
		text, err = s.point(ctx, c.Name, body, grow)
	} else {
		text, err = s.send(ctx, kind, c.Name, body, grow)
	}
	total, ended, rerr := body.state()
	switch {
	case errors.Is(rerr, errTooLarge):
		return Extracted{}, TooLarge, nil
	case rerr != nil:
		return Extracted{}, "", fmt.Errorf("read content of %q: %w", c.Name, rerr)
	case ended && total == 0:
		return Extracted{}, Empty, nil
	case err != nil:
		return Extracted{}, "", fmt.Errorf("extract text of %q: %w", c.Name, err)
	case text.Text == "":
		return Extracted{}, Empty, nil
	}
	return text, "", nil
}

// send sends content in the body of a request, a piece at a time.
func (s *Service) send(ctx context.Context, kind Kind, name string, body *upload, grow func(int64) error) (Extracted, error) {
	path := "/extract_text/"
	if kind == Tika {
		path = "/tika"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.opts.URL+path, body)
	if err != nil {
		return Extracted{}, errors.Join(err, body.Close())
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if kind == Tika {
		// The extension is enough to recognize the format; the rest of the name is not sent.
		req.Header.Set("Content-Disposition", `attachment; filename="content`+plainExtension(name)+`"`)
	}
	text, err := s.do(ctx, kind, req, body, grow)
	body.watch.stop() // an early response stops the sending,
	<-body.done       // and the reading of content
	return text, err
}

// point stores content where the service can read it, and sends the name of the file.
func (s *Service) point(ctx context.Context, name string, body *upload, grow func(int64) error) (Extracted, error) {
	f, err := os.CreateTemp(s.opts.SharedDir, "elastic-ingest-*"+plainExtension(name))
	if err != nil {
		return Extracted{}, errors.Join(fmt.Errorf("extraction_service.shared_volume_dir: %w", err), body.Close())
	}
	defer func() { _ = os.Remove(f.Name()) }() // the service has responded, or the request was given up
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, body, make([]byte, s.opts.Piece))
	if err = errors.Join(err, body.Close(), f.Close()); err != nil || n == 0 {
		return Extracted{}, err
	}
	at := s.opts.URL + "/extract_text/?local_file_path=" + url.QueryEscape(f.Name())
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, at, http.NoBody)
	if err != nil {
		return Extracted{}, err
	}
	return s.do(ctx, Elastic, req, body, grow)
}

// do sends a request and reads its response.
func (s *Service) do(ctx context.Context, kind Kind, req *http.Request, body *upload, grow func(int64) error) (Extracted, error) {
	req.Header.Set("Accept", "text/plain")
	if kind == Elastic {
		req.Header.Set("Accept", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return Extracted{}, s.unanswered(ctx, err, body)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	body.watch.step()
	if err := s.check(kind, resp); err != nil {
		return Extracted{}, err
	}
	a := answer{r: download{resp.Body, body.watch}, limit: s.opts.MaxText, grow: func(n int64) (err error) {
		body.watch.hold(func() { err = grow(n) })
		return err
	}}
	var text Extracted
	if kind == Tika {
		text, err = a.plain()
	} else {
		text, err = a.json()
	}
	_, refused := errors.AsType[*refusedError](err)
	switch {
	case err == nil, refused, a.denied:
		return text, err
	}
	return Extracted{}, s.unanswered(ctx, err, body)
}

// unanswered is the error of a request without a complete response. If a service falls
// silent after it has received the complete document, the document is not sent again.
func (s *Service) unanswered(ctx context.Context, err error, body *upload) error {
	_, ended, rerr := body.state()
	if rerr != nil {
		return rerr
	}
	_, silent := errors.AsType[silentError](context.Cause(ctx))
	return &busyError{err: s.reason(ctx, err), last: silent && ended}
}

// check distinguishes a response with text from others.
func (s *Service) check(kind Kind, resp *http.Response) error {
	switch status := resp.StatusCode; {
	case busy(status):
		return &busyError{err: fmt.Errorf("%s returned %s", s.opts.URL, resp.Status), after: retryAfter(resp)}
	case status == http.StatusNoContent:
		return nil
	case status == http.StatusOK && resp.Header.Get("Content-Encoding") != "":
		return &refusedError{err: fmt.Errorf("%s returned the content encoding %q, which was not requested", s.opts.URL, resp.Header.Get("Content-Encoding"))}
	case status == http.StatusOK && kind == Tika && mediaType(resp) == "text/plain":
		return nil
	case status == http.StatusOK && kind == Elastic && !isHTML(resp): // its responses do not always declare JSON
		return nil
	case status == http.StatusOK:
		return &refusedError{err: fmt.Errorf("%s returned %q instead of text; is it an extraction service?", s.opts.URL, mediaType(resp))}
	case status == http.StatusUnprocessableEntity, status == http.StatusUnsupportedMediaType:
		return &refusedError{err: fmt.Errorf("%s cannot read it (%d): it may be encrypted, damaged or in an unknown format", s.opts.URL, status)}
	default:
		return &refusedError{err: fmt.Errorf("%s returned %s", s.opts.URL, resp.Status), again: status >= http.StatusInternalServerError}
	}
}

// busy reports whether a status of a service means that a later request may succeed.
func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// maxRetryAfter limits the wait that a service may ask for.
const maxRetryAfter = 30 * time.Second

func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second, maxRetryAfter)
}

func mediaType(resp *http.Response) string {
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // "" if it is invalid
	return t
}

func isHTML(resp *http.Response) bool { return strings.Contains(mediaType(resp), "html") }

// plainExtension is the extension of a name if it consists of a few letters and digits, "" otherwise.
func plainExtension(name string) string {
	ext := extension(name)
	if len(ext) > 10 || strings.ContainsFunc(strings.TrimPrefix(ext, "."), func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return ""
	}
	return ext
}
