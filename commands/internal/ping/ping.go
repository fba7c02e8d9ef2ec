// Package ping reports the start and the end of a run to a service that notices when a cron job fails or does not
// run, in the form of Healthchecks: https://healthchecks.io/docs/http_api/.
//
// It reports and decides nothing: no error of it changes a run, and each report takes at most a few seconds. The
// address contains a token, so only its host appears in messages.
package ping

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

const (
	patience   = 5 * time.Second        // for one report, all attempts together
	forStart   = 2 * time.Second        // of these, how long the report of the end waits for that of the start
	afterCut   = 400 * time.Millisecond // the same, once the program has to end at once
	mostBody   = 100_000                // bytes that Healthchecks keeps of a body
	mostAnswer = 4 << 10                // bytes that are read of a response
)

// Ping reports one run.
type Ping struct {
	address *url.URL
	run     string // a UUID, which relates the end to its start
	agent   string
	client  *http.Client
	started chan error         // the result of the report of the start; nil before that
	abandon context.CancelFunc // ends the report of the start
}

// New creates the reports of one run. It sends nothing. Its error does not contain the address.
func New(address, agent string, transport http.RoundTripper) (*Ping, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the ping URL is not an http:// or https:// address")
	}
	u.Path, u.RawPath, u.Fragment = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/"), ""
	return &Ping{address: u, run: newUUID(), agent: agent, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // another server would get the token
	}}, nil
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Host is the part of the address that may be shown.
func (p *Ping) Host() string { return p.address.Host }

// Start reports the start in the background, so that the run does not wait.
func (p *Ping) Start(ctx context.Context) {
	p.started = make(chan error, 1)
	ctx, p.abandon = context.WithTimeout(context.WithoutCancel(ctx), patience)
	go func() { // ends with the report
		p.started <- crash.Guarded(func() error { return p.send(ctx, "/start", "") })
	}()
}

// End reports how the run ended, after its start. It returns soon after cut ends. Its error does not contain the
// address.
func (p *Ping) End(ctx, cut context.Context, code int, body string) error {
	var first error
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	defer context.AfterFunc(cut, func() { time.AfterFunc(afterCut, stop) })()
	if p.started != nil { // the service needs the two in their order
		late := time.AfterFunc(forStart, p.abandon)
		over := context.AfterFunc(ctx, p.abandon)
		first = <-p.started
		late.Stop()
		over()
		p.abandon()
	}
	suffix := ""
	if code != 0 {
		suffix = "/" + strconv.Itoa(code)
	}
	last := p.send(ctx, suffix, body)
	if first != nil && last != nil && first.Error() == last.Error() {
		return last
	}
	return errors.Join(first, last)
}

// send makes a report. What waiting may fix is tried again until ctx ends.
func (p *Ping) send(ctx context.Context, suffix, body string) error {
	backoff := retry.Policy{First: 200 * time.Millisecond, Max: time.Second, Patience: patience}.Start()
	for {
		again, err := p.once(ctx, suffix, body)
		if err == nil || !again || !backoff.Wait(ctx, 0) {
			return err
		}
	}
}

// once makes one attempt, and reports whether another one may succeed.
func (p *Ping) once(ctx context.Context, suffix, body string) (again bool, err error) {
	if len(body) > mostBody {
		body = strings.ToValidUTF8(body[:mostBody], "")
	}
	to := *p.address
	to.Path, to.RawPath = to.Path+suffix, joined(to.RawPath, suffix)
	query := to.Query()
	query.Set("rid", p.run)
	to.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(body))
	if err != nil {
		return false, withoutAddress(err)
	}
	r.Header.Set("User-Agent", p.agent)
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	res, err := p.client.Do(r)
	if err != nil {
		return true, withoutAddress(err)
	}
	defer res.Body.Close() //nolint:errcheck // all that is wanted was read
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, mostAnswer))
	if res.StatusCode >= http.StatusMultipleChoices {
		return res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests, fmt.Errorf("the server answered %d", res.StatusCode)
	}
	return false, nil
}

// joined appends to the encoded form of a path, if the path has one.
func joined(raw, suffix string) string {
	if raw == "" {
		return ""
	}
	return raw + suffix
}

// withoutAddress is an error of a request without the address.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errors.New("no response in time")
	}
	return err
}
