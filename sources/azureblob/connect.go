package azureblob

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

var _ objects.Store = (*store)(nil)

// store is a client of one account.
type store struct {
	client      *service.Client
	transport   *http.Transport
	skipFolders bool
	valid       string // the times of a shared access signature, for messages

	mu       sync.Mutex
	metadata map[string]document.Value // of containers
}

// The times of the service.
const (
	connectTimeout = 30 * time.Second
	readTimeout    = 90 * time.Second
)

func connect(_ context.Context, v field.Values) (*store, error) {
	endpoint, token, err := endpointOf(v)
	if err != nil {
		return nil, err
	}
	st := &store{skipFolders: v.Bool(fieldSkipFolders), metadata: map[string]document.Value{}}
	st.transport = http.DefaultTransport.(*http.Transport).Clone()
	objects.Prepare(st.transport, objects.Timeouts{Connect: connectTimeout, Read: readTimeout}, true)
	st.transport.MaxConnsPerHost = v.Int(fieldDownloads)
	o := &service.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: st.transport, CheckRedirect: objects.NoRedirect},
		Retry:     policy.RetryOptions{MaxRetries: int32(v.Int(fieldRetries))}, //nolint:gosec // a few
		Telemetry: policy.TelemetryOptions{Disabled: true},

		PerCallPolicies: []policy.Policy{readPages{}},
	}}
	if o.Retry.MaxRetries == 0 {
		o.Retry.MaxRetries = -1 // the library takes 0 for its own default
	}
	switch {
	case v.String(fieldKey) != "":
		var key *service.SharedKeyCredential
		if key, err = service.NewSharedKeyCredential(v.String(fieldAccount), v.String(fieldKey)); err != nil {
			return nil, &source.Error{Kind: source.ErrConfig, Err: errors.New(fieldKey + " is not in base64"), Hint: "copy the complete key, with its == at the end"}
		}
		st.client, err = service.NewClientWithSharedKeyCredential(endpoint, key, o)
	case token != "":
		st.valid = validity(token)
		st.client, err = service.NewClientWithNoCredential(endpoint+"?"+token, o)
	default:
		var identity azcore.TokenCredential
		if identity, err = identityOf(v, o.ClientOptions); err != nil {
			return nil, &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("identity: %w", err)}
		}
		st.client, err = service.NewClient(endpoint, &bounded{identity}, o)
	}
	if err != nil {
		return nil, &source.Error{Kind: source.ErrConfig, Err: errors.New("cannot create a client from the configuration")}
	}
	return st, nil
}

// endpointOf is the address of the account, and the shared access signature, which people also paste as part of an
// address. Errors quote neither.
func endpointOf(v field.Values) (endpoint, token string, err error) {
	endpoint = v.String(fieldEndpoint)
	if endpoint == "" {
		endpoint = "https://" + v.String(fieldAccount) + ".blob.core.windows.net"
	}
	token = strings.TrimSpace(v.String(fieldSAS))
	if _, query, ok := strings.Cut(token, "?"); ok {
		token = query
	}
	u, err := url.Parse(strings.TrimSpace(endpoint))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", "", &source.Error{
			Kind: source.ErrConfig, Err: errors.New(fieldEndpoint + " is not an address"),
			Hint: "write scheme and host, such as https://ACCOUNT.blob.core.windows.net",
		}
	}
	if token == "" {
		token = u.RawQuery
	}
	u.RawQuery, u.Fragment = "", ""
	return strings.TrimRight(u.String(), "/") + "/", token, nil
}

// validity is from when to when a shared access signature is valid.
func validity(token string) string {
	q, err := url.ParseQuery(token)
	if err != nil || q.Get("se") == "" {
		return ""
	}
	if from := q.Get("st"); from != "" {
		return "the signature is valid from " + from + " to " + q.Get("se")
	}
	return "the signature is valid to " + q.Get("se")
}

// identityOf is an identity of Microsoft Entra: a configured application, or what the environment, a
// workload or the machine has.
func identityOf(v field.Values, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	tenant, client, secret := v.String(fieldTenant), v.String(fieldClient), v.String(fieldSecret)
	switch {
	case secret != "":
		return azidentity.NewClientSecretCredential(tenant, client, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: o})
	case client != "":
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: o, ID: azidentity.ClientID(client)})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: o, TenantID: tenant})
}

// tokenPatience is how long to wait for a token: the machine's token service may not respond.
const tokenPatience = 15 * time.Second

// errToken marks an error before there was a token for the account.
var errToken = errors.New("no token")

type bounded struct{ azcore.TokenCredential }

func (b *bounded) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	limited, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	t, err := b.TokenCredential.GetToken(limited, o)
	if err != nil {
		return t, &tokenError{err}
	}
	return t, nil
}

// tokenError is not retried: the token library has retried already.
type tokenError struct{ err error }

func (e *tokenError) Error() string   { return errToken.Error() + ": " + e.err.Error() }
func (e *tokenError) Unwrap() []error { return []error{errToken, e.err} }

// NonRetriable marks it for the library.
func (*tokenError) NonRetriable() {}

// Close ends idle connections.
func (st *store) Close() error {
	st.transport.CloseIdleConnections()
	return nil
}
