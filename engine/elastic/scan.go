package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// PIT is a point in time of one index: its content when it was opened. It expires a while after its
// last use, so [PIT.Hold] keeps it alive between scans.
type PIT struct {
	c     *Client
	index *Index
	mu    sync.Mutex
	id    string
}

const (
	keepAlive = 5 * time.Minute
	touch     = time.Minute // how often Hold uses the point in time
)

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d/time.Second)) }

// OpenPIT opens a point in time.
func (c *Client) OpenPIT(ctx context.Context, ix *Index) (*PIT, error) {
	var a pitAnswer
	r := esapi.OpenPointInTimeRequest{Index: []string{url.PathEscape(ix.Name)}, KeepAlive: seconds(keepAlive)}
	if err := c.call(ctx, fmt.Sprintf("open a point in time of index %q", ix.Name), r, &a); err != nil {
		return nil, err
	}
	return &PIT{c: c, index: ix, id: a.ID}, nil
}

type pitAnswer struct {
	ID     string  `json:"id"`
	Shards *shards `json:"_shards"` // older servers omit it
}

func (a *pitAnswer) check() error {
	if a.Shards != nil {
		if err := a.Shards.check(); err != nil {
			return err
		}
	}
	return lacks("id", a.ID != "")
}

// Close releases the point in time. It is best effort: otherwise the server lets it expire.
func (p *PIT) Close(ctx context.Context) error {
	r := esapi.ClosePointInTimeRequest{Body: asJSON(map[string]string{"id": p.current("")})}
	err := p.c.call(ctx, "close the point in time", r, nil)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrPITLost) {
		return nil
	}
	return err
}

// current returns the id to use, which a response may have renewed.
func (p *PIT) current(renewed string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if renewed != "" {
		p.id = renewed
	}
	return p.id
}

// Hold uses the point in time now and then until ctx ends, so that it lives however slow the source
// is. It returns nil at the end of ctx, and otherwise why the point in time is lost; a temporary error
// is retried until the point in time would have expired.
func (p *PIT) Hold(ctx context.Context) error {
	tick := time.NewTicker(touch)
	defer tick.Stop()
	good := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := p.page(ctx, &slice{scan: &Scan{Source: json.RawMessage("false")}}, func(Hit) error { return nil })
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			good = time.Now()
		case errors.Is(err, ErrPITLost), time.Since(good) > keepAlive:
			return err
		}
	}
}

// Scan defines what to read of each document.
type Scan struct {
	Source json.RawMessage // true, false, a list of fields, or an object that requests all of it
	Query  json.RawMessage // nil: everything
	SeqNo  bool            // with _seq_no and _primary_term
	Slices int             // how many read concurrently; 0: one per primary shard
	Retry  retry.Policy    // for a page that the server is too busy to answer
}

const (
	maxSlices   = 16
	pageBytes   = 4 << 20
	firstPage   = 200
	idsOnlyPage = 10_000
)

// slice is the state of one reader of a scan.
type slice struct {
	scan   *Scan
	n, of  int
	size   int
	after  []byte
	answer []byte // reused for every page
}

// Scan reads all documents of the point in time, each once. open is called once for each slice, from
// one goroutine; the returned function is then called for the slice's hits, one after the other. A lost
// point in time is an error of kind ErrPITLost.
func (p *PIT) Scan(ctx context.Context, s Scan, open func(slice int) func(Hit) error) error {
	slices := s.Slices
	if slices == 0 {
		slices = min(p.index.Shards, maxSlices)
	}
	g, ctx := errgroup.WithContext(ctx)
	for n := range slices {
		hit := open(n)
		g.Go(func() error { // ends with its slice; owns the slice
			return crash.Guarded(func() error { return p.readSlice(ctx, &slice{scan: &s, n: n, of: slices}, hit) })
		})
	}
	return g.Wait()
}

func (p *PIT) readSlice(ctx context.Context, s *slice, hit func(Hit) error) error {
	s.size = idsOnlyPage
	if c := s.scan.Source[0]; c == 't' || c == '{' { // complete documents
		s.size = firstPage
	}
	for {
		s.size = min(s.size, p.index.ResultWindow)
		pg, err := p.page(ctx, s, hit)
		if errors.Is(err, errTooLarge) && s.size > 1 {
			s.size = max(s.size/16, 1)
			continue
		}
		if err != nil {
			return err
		}
		if pg.hits < s.size {
			return nil
		}
		if err := pg.leadsOn(s); err != nil {
			return fmt.Errorf("scan index %q: %w", p.index.Name, err)
		}
		s.after = append(s.after[:0], pg.sort...)
		// Documents differ in size; a response should stay near pageBytes.
		perHit := max(1, len(s.answer)/pg.hits)
		s.size = min(max(pageBytes/perHit, 1), idsOnlyPage, 4*s.size)
	}
}

// leadsOn checks that the scan can continue after a full page: a page with more documents than requested,
// or one that ends where the previous one ended, is not a valid response.
func (p *page) leadsOn(s *slice) error {
	switch {
	case p.hits > s.size:
		return fmt.Errorf("a page of %d documents holds %d: %w", s.size, p.hits, errCut)
	case len(p.sort) == 0 || p.sort[0] != '[' || !json.Valid(p.sort):
		return fmt.Errorf("the sort values of a page are not a list: %w", errCut)
	case bytes.Equal(p.sort, s.after):
		return fmt.Errorf("a page ends where the previous one ended: %w", errCut)
	}
	return nil
}

// page sends one search.
func (p *PIT) page(ctx context.Context, s *slice, hit func(Hit) error) (page, error) {
	body := map[string]any{
		"pit":              map[string]string{"id": p.current(""), "keep_alive": seconds(keepAlive)},
		"size":             s.size,
		"_source":          s.scan.Source,
		"track_total_hits": false,
		"sort":             []string{"_shard_doc"},
	}
	if s.scan.Query != nil {
		body["query"] = s.scan.Query
	}
	if s.of > 1 {
		body["slice"] = map[string]int{"id": s.n, "max": s.of}
	}
	if s.after != nil {
		body["search_after"] = json.RawMessage(s.after)
	}
	if s.scan.SeqNo {
		body["seq_no_primary_term"] = true
	}
	op := fmt.Sprintf("scan index %q", p.index.Name)
	// No filter_path: with it the server parses and rewrites each _source instead of copying it.
	partial := false
	err := s.ask(ctx, p.c, op, func() esapi.Request {
		return esapi.SearchRequest{Body: asJSON(body), AllowPartialSearchResults: &partial}
	})
	if err != nil {
		return page{}, err
	}
	pg, err := decodePage(s.answer, hit)
	if err != nil {
		return pg, fmt.Errorf("%s: %w", op, err)
	}
	p.current(pg.pitID)
	return pg, nil
}

// limit is the maximum size of a page. A larger one is requested again with fewer documents, down to
// one.
func (s *slice) limit() int64 {
	if s.size == 1 {
		return documentAnswer
	}
	return pageAnswer
}

// ask sends the search until it succeeds, or as long as the scan's patience allows.
func (s *slice) ask(ctx context.Context, c *Client, op string, r func() esapi.Request) (err error) {
	backoff := s.scan.Retry.Start()
	for {
		s.answer, err = c.do(ctx, op, r(), s.answer[:0], s.limit())
		if !errors.Is(err, ErrTemporary) && !errors.Is(err, ErrUnreachable) {
			return err
		}
		if !backoff.Wait(ctx, RetryAfter(err)) {
			return err
		}
	}
}
