// Package elastic makes all HTTP requests to the destination: it looks up indices, scans them at a point
// in time, sends bulk requests, and checks every response.
//
// It decides nothing about documents. Its invariant: an incomplete response (a failed shard,
// a cut body, a missing item) is an error, never a shorter result. A request that writes is sent once; by
// the kind of its error, the caller decides whether to send it again.
package elastic

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Config defines how to reach the destination.
type Config struct {
	URL         string // http:// or https://; any for an in-process transport
	CloudID     string // instead of URL
	Username    string
	Password    string
	APIKey      string // in Kibana's form (base64), or as id:key
	BearerToken string
	Headers     map[string]string
	UserAgent   string
	OpaqueID    string        // names this client in the server's logs and tasks; "" for none
	Timeout     time.Duration // of one request; 0: none
	Transport   http.RoundTripper
}

// Client talks to one destination. Its methods are safe for concurrent use.
type Client struct {
	transport performer
	raw       http.RoundTripper
	address   *url.URL
	timeout   time.Duration
	probe     time.Duration // see otherProtocol
	// discreet means that the server can leave documents out of its error messages.
	discreet atomic.Bool
}

// New creates a client; it sends nothing.
func New(c Config) (*Client, error) {
	address := c.URL
	if c.CloudID != "" {
		var err error
		if address, err = cloudAddress(c.CloudID); err != nil {
			return nil, fmt.Errorf("%w: elasticsearch.cloud_id: %w", ErrConfig, err)
		}
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: elasticsearch.host is not an address", ErrConfig)
	}
	header := http.Header{}
	if c.OpaqueID != "" {
		header.Set("X-Opaque-Id", opaque(c.OpaqueID))
	}
	for k, v := range c.Headers {
		header.Set(k, v)
	}
	options := []elastictransport.Option{
		elastictransport.WithURLs(u), elastictransport.WithHeader(header), elastictransport.WithDisableRetry(),
		elastictransport.WithTransport(c.Transport), elastictransport.WithUserAgent(c.UserAgent),
	}
	switch {
	case strings.Contains(c.APIKey, ":"):
		options = append(options, elastictransport.WithAPIKey(base64.StdEncoding.EncodeToString([]byte(c.APIKey))))
	case c.APIKey != "":
		options = append(options, elastictransport.WithAPIKey(c.APIKey))
	case c.BearerToken != "":
		options = append(options, elastictransport.WithServiceToken(c.BearerToken))
	case c.Username != "" || c.Password != "":
		options = append(options, elastictransport.WithBasicAuth(c.Username, c.Password))
	}
	t, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("%w: create the Elasticsearch client: %w", ErrConfig, err)
	}
	return &Client{transport: performer{t}, raw: c.Transport, address: u, timeout: c.Timeout, probe: probePatience}, nil
}

// longestOpaqueID is more than a server needs to recognize a client.
const longestOpaqueID = 128

// opaque is the value of a header: letters, digits and a few other characters of ASCII, other characters as underscores.
func opaque(id string) string {
	id = strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:", r)) {
			return r
		}
		return '_'
	}, id)
	return id[:min(len(id), longestOpaqueID)]
}

// cloudAddress is the address in a cloud id: a name, a colon, and in base64 the domain and the parts
// of the deployment with dollar signs between them, that of Elasticsearch first. See
// https://www.elastic.co/docs/deploy-manage/deploy/elastic-cloud/find-cloud-id.
func cloudAddress(id string) (string, error) {
	_, encoded, _ := strings.Cut(id, ":")
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return "", errors.New("the part after the colon is not base64")
	}
	parts := strings.Split(string(plain), "$")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return "", errors.New("it names no deployment")
	}
	domain, port, found := strings.Cut(parts[0], ":")
	if !found {
		port = "443"
	}
	return "https://" + parts[1] + "." + domain + ":" + port, nil
}

// performer adds to each request the headers that this program needs. It replaces the library's own client
// below go-elasticsearch's requests (esapi), because that client brings 850 packages of typed requests.
type performer struct{ t *elastictransport.Client }

var _ esapi.Transport = performer{}

// The media types ask servers of version 9 to respond as version 8 does.
const (
	compatibleJSON   = "application/vnd.elasticsearch+json;compatible-with=8"
	compatibleNDJSON = "application/vnd.elasticsearch+x-ndjson;compatible-with=8"
)

// Perform implements [esapi.Transport].
func (p performer) Perform(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept", compatibleJSON)
	if strings.HasPrefix(r.URL.Path, "/.elastic-connectors") || strings.HasPrefix(r.URL.Path, "/_connector") {
		// Newer servers restrict these indices to programs of the connector protocol.
		r.Header.Set("X-Elastic-Product-Origin", "connectors")
	}
	if b, ok := r.Body.(*sharedBody); ok {
		r.ContentLength = b.r.Size()
		r.Header.Set("Content-Type", b.mediaType)
	}
	res, err := p.t.Perform(r)
	if err != nil {
		return nil, err
	}
	if err := checkHead(r.URL, res); err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, nil
}

// do sends a request and appends the complete response to dst. A response of more than limit bytes is an error.
func (c *Client) do(ctx context.Context, op string, r esapi.Request, dst []byte, limit int64) ([]byte, error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	res, err := r.Do(ctx, c.transport)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
			return dst, fmt.Errorf("%s: %w", op, cause)
		}
		return dst, connError(op, c.address, err)
	}
	defer res.Body.Close() //nolint:errcheck // all that is wanted was read
	if res.StatusCode >= http.StatusBadRequest {
		body, err := readBody(res.Body, nil, errorAnswer)
		if err != nil && !errors.Is(err, errTooLarge) {
			return dst, connError(op, c.address, err)
		}
		if res.StatusCode == http.StatusBadRequest && res.Header.Get("X-Elastic-Product") == "" && bytes.Contains(body, []byte("HTTPS")) {
			return dst, connError(op, c.address, &errOtherProtocol{withScheme(c.address, "https")}) // a common response of TLS servers
		}
		return dst, answerError(op, res, body)
	}
	answer, err := readBody(res.Body, dst, limit)
	switch {
	case errors.Is(err, errTooLarge):
		return dst, fmt.Errorf("%s: %w", op, err)
	case err != nil:
		return dst, connError(op, c.address, err)
	}
	return answer, nil
}

// sharedBody is a request body over bytes of another owner. The transport may continue to read it
// after the request has ended, and closes it when it no longer does.
type sharedBody struct {
	r         *bytes.Reader
	mediaType string
	once      sync.Once
	done      chan struct{}
}

func shared(b []byte, mediaType string) *sharedBody {
	return &sharedBody{r: bytes.NewReader(b), mediaType: mediaType, done: make(chan struct{})}
}

func (b *sharedBody) Read(p []byte) (int, error) { return b.r.Read(p) }

func (b *sharedBody) Close() error { b.once.Do(func() { close(b.done) }); return nil }

// inUse reports that the transport may still be reading, so the bytes must not be overwritten.
func (b *sharedBody) inUse() bool {
	select {
	case <-b.done:
		return false
	default:
		return true
	}
}

// asJSON is a request body. Its values are our own maps and strings, which always encode.
func asJSON(v any) *sharedBody {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return shared(b, compatibleJSON)
}

// call sends a request, decodes the response into out and checks it. If out is nil, the response must
// confirm the effect of the request.
func (c *Client) call(ctx context.Context, op string, r esapi.Request, out answer) error {
	if out == nil {
		out = &deed{}
	}
	raw, err := c.do(ctx, op, r, nil, smallAnswer)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s: this is not a response of Elasticsearch: %w", op, err)
	}
	if err := out.check(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// Info is a server's description of itself.
type Info struct {
	Version string
	Flavor  string // default, serverless, embedded
	Cluster string
	UUID    string // of the cluster; "" if it has none, or none yet
}

// Ping requests the server's description of itself.
func (c *Client) Ping(ctx context.Context) (Info, error) {
	var a infoAnswer
	err := c.call(ctx, "reach Elasticsearch at "+withScheme(c.address, c.address.Scheme), esapi.InfoRequest{}, &a)
	if e, ok := errors.AsType[*ConnError](err); ok && errors.Is(e.Kind, ErrUnreachable) {
		if other := c.otherProtocol(ctx, e.Err); other != nil {
			err = connError(e.Op, c.address, other)
		}
	}
	if a.UUID == noUUID {
		a.UUID = ""
	}
	info := Info{a.Version.Number, a.Version.BuildFlavor, a.ClusterName, a.UUID}
	c.discreet.Store(err == nil && info.hidesSource())
	return info, err
}

// hidesSource reports whether bulk requests of the version have the parameter include_source_on_error, which came
// with version 8.18: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk. A version that
// cannot be read counts as older, because an unknown parameter fails the request.
func (i Info) hidesSource() bool {
	var major, minor int
	if _, err := fmt.Sscanf(i.Version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return i.Flavor == "serverless" || major > 8 || major == 8 && minor >= 18
}

// noUUID is the uuid of a cluster that has not formed yet, and of the embedded destination.
const noUUID = "_na_"

type infoAnswer struct {
	ClusterName string `json:"cluster_name"`
	UUID        string `json:"cluster_uuid"`
	Version     struct {
		Number      string `json:"number"`
		BuildFlavor string `json:"build_flavor"`
	} `json:"version"`
}

func (a *infoAnswer) check() error { return lacks("version.number", a.Version.Number != "") }

// Await pings until the server responds, as long as the policy allows. Errors that waiting cannot fix,
// such as a wrong password, end it immediately.
func (c *Client) Await(ctx context.Context, p retry.Policy, again func(error)) (Info, error) {
	b := p.Start()
	for {
		info, err := c.Ping(ctx)
		if err == nil || !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrTemporary) {
			return info, err
		}
		again(err)
		if !b.Wait(ctx, 0) {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return info, err
		}
	}
}
