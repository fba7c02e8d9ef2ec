// Package elastic says everything that is said to the destination over HTTP: what an index is, how it
// is scanned at a point in time, how a bulk request is sent, and what an answer means.
//
// It decides nothing about documents. Its invariant: an answer that is not complete (a failed shard,
// a cut body, a missing item) is an error, never a shorter answer. A request that writes is sent once; whether to
// send it again is the caller's decision, by the kind of its error.
package elastic

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	elasticsearch "github.com/elastic/go-elasticsearch/v8"

	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Config is how the destination is reached.
type Config struct {
	URL         string // http:// or https://; any for an in-process transport
	CloudID     string // instead of URL
	Username    string
	Password    string
	APIKey      string // as Kibana shows it (base64), or as id:key
	BearerToken string
	Headers     map[string]string
	UserAgent   string
	Timeout     time.Duration // of one request; 0 is none
	Transport   http.RoundTripper
}

// Client talks to one destination. Its methods may be called from several goroutines.
type Client struct {
	es      *elasticsearch.Client
	timeout time.Duration
}

// New makes a client; it sends nothing.
func New(c Config) (*Client, error) {
	header := http.Header{}
	for k, v := range c.Headers {
		header.Set(k, v)
	}
	if c.UserAgent != "" {
		header.Set("User-Agent", c.UserAgent)
	}
	cfg := elasticsearch.Config{
		Header: header, Transport: c.Transport, CloudID: c.CloudID,
		DisableRetry: true, EnableCompatibilityMode: true,
	}
	if c.CloudID == "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("elasticsearch.host is not an address: %w", ErrConfig)
		}
		cfg.Addresses = []string{strings.TrimRight(c.URL, "/")}
	}
	switch {
	case c.APIKey != "":
		cfg.APIKey = c.APIKey
		if strings.Contains(c.APIKey, ":") {
			cfg.APIKey = base64.StdEncoding.EncodeToString([]byte(c.APIKey))
		}
	case c.BearerToken != "":
		cfg.ServiceToken = c.BearerToken
	default:
		cfg.Username, cfg.Password = c.Username, c.Password
	}
	es, err := elasticsearch.NewClient(cfg)
	if err != nil {
		return nil, fmt.Errorf("make the Elasticsearch client: %w", errors.Join(ErrConfig, err))
	}
	return &Client{es: es, timeout: c.Timeout}, nil
}

// request is one request; path is escaped already.
type request struct {
	op, method, path string
	query            url.Values
	body             []byte
	contentType      string
}

// ndjson is the content type of a bulk request.
const ndjson = "application/vnd.elasticsearch+x-ndjson;compatible-with=8"

// maxAnswer is more than any answer to what we ask for can hold; a larger one is not ours.
const maxAnswer = 1 << 30

// do sends a request and appends the whole answer to dst. bodyInUse reports that the transport may
// still be reading r.body, which then must not be overwritten.
func (c *Client) do(ctx context.Context, r request, dst []byte) (answer []byte, bodyInUse bool, err error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	target := r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, http.NoBody)
	if err != nil {
		return dst, false, fmt.Errorf("%s: %w", r.op, err)
	}
	var body *lentBody
	if r.body != nil {
		body = &lentBody{r: bytes.NewReader(r.body), done: make(chan struct{})}
		req.Body, req.ContentLength = body, int64(len(r.body))
		if r.contentType != "" {
			req.Header.Set("Content-Type", r.contentType)
		} else {
			req.Header.Set("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
		}
	}
	res, err := c.es.Perform(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
			return dst, body.inUse(), fmt.Errorf("%s: %w", r.op, cause)
		}
		return dst, body.inUse(), connError(r.op, err)
	}
	defer res.Body.Close() //nolint:errcheck // all that is wanted was read
	buf := bytes.NewBuffer(dst)
	before := buf.Len()
	if _, err := buf.ReadFrom(io.LimitReader(res.Body, maxAnswer)); err != nil {
		return dst, body.inUse(), connError(r.op, fmt.Errorf("the answer broke off: %w", err))
	}
	answer = buf.Bytes()
	if res.StatusCode >= 400 {
		return answer[:before], body.inUse(), answerError(r.op, res, answer[before:])
	}
	return answer, body.inUse(), nil
}

// lentBody is a request body over bytes that somebody else owns. The transport may go on reading it
// after the request has ended, and closes it when it no longer does.
type lentBody struct {
	r    *bytes.Reader
	once sync.Once
	done chan struct{}
}

func (b *lentBody) Read(p []byte) (int, error) { return b.r.Read(p) }

func (b *lentBody) Close() error { b.once.Do(func() { close(b.done) }); return nil }

func (b *lentBody) inUse() bool {
	if b == nil {
		return false
	}
	select {
	case <-b.done:
		return false
	default:
		return true
	}
}

// call sends a request with a JSON body, if in is not nil, and decodes the answer into out, if it is
// not nil.
func (c *Client) call(ctx context.Context, r request, in, out any) error {
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s: %w", r.op, err)
		}
		r.body = b
	}
	answer, _, err := c.do(ctx, r, nil)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: the answer is not what Elasticsearch answers: %w", r.op, err)
	}
	return nil
}

// Info is what a server says of itself.
type Info struct {
	Version string
	Flavor  string // default, serverless, embedded
	Cluster string
}

// Ping asks the server what it is.
func (c *Client) Ping(ctx context.Context) (Info, error) {
	var answer struct {
		ClusterName string `json:"cluster_name"`
		Version     struct {
			Number      string `json:"number"`
			BuildFlavor string `json:"build_flavor"`
		} `json:"version"`
	}
	err := c.call(ctx, request{op: "reach Elasticsearch", method: http.MethodGet, path: "/"}, nil, &answer)
	return Info{answer.Version.Number, answer.Version.BuildFlavor, answer.ClusterName}, err
}

// Await pings until somebody answers, as long as the policy allows. Errors that waiting cannot mend,
// such as a wrong password, end it at once.
func (c *Client) Await(ctx context.Context, p retry.Policy, again func(error)) (Info, error) {
	b := p.Start()
	for {
		info, err := c.Ping(ctx)
		if err == nil || !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrTemporary) {
			return info, err
		}
		again(err)
		if !b.Wait(ctx, 0) {
			return info, err
		}
	}
}
