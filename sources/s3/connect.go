package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

var _ objects.Store = (*store)(nil)

// store is a client of S3, or one for each region that a bucket was found in.
type store struct {
	cfg      aws.Config
	http     *http.Client
	endpoint string // "" for AWS
	style    bool   // the bucket is in the path
	fixed    bool   // the region is configured, and no response changes it
	page     int32
	payer    bool
	extended bool

	mu      sync.Mutex
	clients map[string]*s3.Client // by region
	regions map[string]string     // by bucket, if it differs from that of cfg
}

// findsCredentials is how long finding credentials may take: if there are none, the machine's metadata service is
// asked last, which does not respond where it does not exist.
const findsCredentials = 12 * time.Second

// defaultRegion is where a bucket is looked for first, and what other stores accept as theirs.
const defaultRegion = "us-east-1"

func connect(ctx context.Context, v field.Values) (*store, error) {
	endpoint, err := endpointOf(v)
	if err != nil {
		return nil, err
	}
	if (v.String(fieldKey) == "") != (v.String(fieldSecret) == "") {
		return nil, &source.Error{
			Kind: source.ErrConfig, Err: fmt.Errorf("%s and %s go together: one is empty", fieldKey, fieldSecret),
			Hint: "set both, or neither to use the credentials of the environment",
		}
	}
	cfg, err := load(ctx, v)
	if err != nil {
		return nil, &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("configuration of AWS: %w", err)}
	}
	st := &store{
		cfg: cfg, endpoint: endpoint, style: endpoint != "" && v.Bool(fieldPathStyle),
		fixed: v.String(fieldRegion) != "" || endpoint != "",
		page:  int32(min(v.Int(fieldPage), 1000)), //nolint:gosec // it is at most 1000
		payer: v.Bool(fieldRequestPayer), extended: v.Bool(fieldExtended),
		clients: map[string]*s3.Client{}, regions: map[string]string{},
		http: &http.Client{CheckRedirect: objects.NoRedirect}, // the response contains the region of the bucket
	}
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		st.http.Transport = b.GetTransport() // with the authorities of AWS_CA_BUNDLE
	}
	st.cfg.HTTPClient = st.http
	st.assume(v)
	st.cfg.Credentials = &bounded{st.cfg.Credentials}
	return st, nil
}

// load reads what AWS's own programs read: environment, shared files, and the machine's metadata service.
func load(ctx context.Context, v field.Values) (aws.Config, error) {
	timeouts := objects.Timeouts{
		Connect: time.Duration(v.Int(fieldDialTimeout)) * time.Second,
		Read:    time.Duration(v.Int(fieldReadTimeout)) * time.Second,
	}
	client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		objects.Prepare(tr, timeouts, v.Bool(fieldVerify))
		tr.DisableCompression = true // objects are read as they are stored
	})
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithLogger(logging.Nop{}), // its own log has another format
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = v.Int(fieldAttempts) + 1 })
		}),
		config.WithServiceOptions(keepFromTokens),
	}
	if region := v.String(fieldRegion); region != "" {
		options = append(options, config.WithRegion(region))
	}
	if v.String(fieldKey) != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			v.String(fieldKey), v.String(fieldSecret), v.String(fieldToken))))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	return cfg, err
}

// keepFromTokens keeps AWS_ENDPOINT_URL, which people set to the address of a store, from the service that issues tokens
// for a role. AWS's libraries use it as the address of every service.
func keepFromTokens(_ string, options any) {
	if o, ok := options.(*sts.Options); ok && os.Getenv("AWS_ENDPOINT_URL_STS") == "" {
		o.BaseEndpoint = nil
	}
}

// endpointOf is the address of a store that is not AWS: from the configuration or the environment.
// AWS_PORT, which other connectors append to AWS_ENDPOINT_URL, is appended here.
func endpointOf(v field.Values) (string, error) {
	endpoint := v.String(fieldEndpoint)
	if endpoint == "" {
		endpoint = os.Getenv("AWS_ENDPOINT_URL_S3")
	}
	if endpoint == "" {
		endpoint = os.Getenv("AWS_ENDPOINT_URL")
		if port := os.Getenv("AWS_PORT"); endpoint != "" && port != "" {
			endpoint += ":" + port
		}
	}
	if endpoint == "" {
		return "", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", &source.Error{
			Kind: source.ErrConfig, Err: errors.New(fieldEndpoint + " is not an address"),
			Hint: "write scheme and host, such as https://minio.example.com:9000",
		}
	}
	if strings.HasSuffix(u.Hostname(), ".amazonaws.com") {
		return "", nil // it is for one region, and each bucket has its own
	}
	return endpoint, nil
}

// assume assumes the configured role.
func (st *store) assume(v field.Values) {
	role := v.String(fieldRole)
	if role == "" {
		return
	}
	tokens := sts.NewFromConfig(st.cfg)
	st.cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(tokens, role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "elastic-ingest"
		if id := v.String(fieldExternalID); id != "" {
			o.ExternalID = &id
		}
	}))
}

// bounded limits the time to find credentials.
type bounded struct{ aws.CredentialsProvider }

// errCredentials marks an error before there were credentials to sign with.
var errCredentials = errors.New("no credentials")

func (b *bounded) Retrieve(ctx context.Context) (aws.Credentials, error) {
	limited, cancel := context.WithTimeout(ctx, findsCredentials)
	defer cancel()
	c, err := b.CredentialsProvider.Retrieve(limited)
	if err != nil {
		if ctx.Err() != nil {
			return c, context.Cause(ctx)
		}
		return c, fmt.Errorf("%w: %w", errCredentials, err)
	}
	return c, nil
}

// client is the one for a bucket's region.
func (st *store) client(bucket string) *s3.Client {
	st.mu.Lock()
	defer st.mu.Unlock()
	region := st.cfg.Region
	if other := st.regions[bucket]; other != "" {
		region = other
	}
	if st.clients[region] == nil {
		st.clients[region] = s3.NewFromConfig(st.cfg, func(o *s3.Options) {
			o.Region = region
			o.UsePathStyle = st.style
			o.DisableLogOutputChecksumValidationSkipped = true
			o.APIOptions = append(o.APIOptions, readPages)
			o.BaseEndpoint = nil
			if st.endpoint != "" {
				o.BaseEndpoint = &st.endpoint
				o.APIOptions = append(o.APIOptions, leaveEncodingUnsigned)
			}
		})
	}
	return st.clients[region]
}

// leaveEncodingUnsigned sends no Accept-Encoding. The library signs that header, and proxies in front of other stores,
// Google's among them, change it.
func leaveEncodingUnsigned(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("leaveEncodingUnsigned",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				r.Header.Del("Accept-Encoding")
			}
			return next.HandleFinalize(ctx, in)
		}), "Signing", middleware.Before)
}

// found notes the region of a bucket; it reports whether to repeat the request there.
func (st *store) found(bucket, region string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	current := st.regions[bucket]
	if current == "" {
		current = st.cfg.Region
	}
	if st.fixed || region == "" || region == current {
		return false
	}
	st.regions[bucket] = region
	return true
}

// Close ends idle connections.
func (st *store) Close() error {
	st.http.CloseIdleConnections()
	return nil
}
