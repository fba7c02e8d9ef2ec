package s3

import (
	"context"
	"crypto/sha1" //nolint:gosec // see TestALoginThatHasRunOut
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// amazon answers for the hosts of AWS.
type amazon func(*http.Request) (status int, header, body string)

func (a amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header, body := a(r)
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
	if name, value, ok := strings.Cut(header, "="); ok {
		res.Header.Set(name, value)
	}
	return res, nil
}

// A bucket of another region is found by what the first answer says, and asked there from then on.
func TestBucketsOfOtherRegions(t *testing.T) {
	clear := []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"}
	for _, name := range clear {
		t.Setenv(name, "")
	}
	v, err := field.Parse(Type.Fields, map[string]any{
		"buckets": "near, far", "aws_access_key_id": "key", "aws_secret_access_key": "secret", "max_attempts": 0,
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := connect(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var hosts []string
	st.http.Transport = amazon(func(r *http.Request) (int, string, string) {
		mu.Lock()
		defer mu.Unlock()
		hosts = append(hosts, r.URL.Host)
		if r.Header.Get("X-Amz-Optional-Object-Attributes") != "RestoreStatus" {
			t.Error("what is restored is not asked for")
		}
		switch {
		case strings.HasPrefix(r.URL.Host, "far.s3.us-east-1."):
			return 301, "X-Amz-Bucket-Region=eu-west-1", "<Error><Code>PermanentRedirect</Code></Error>"
		case strings.HasPrefix(r.URL.Host, "said.s3.us-east-1."):
			return 400, "", "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'</Message><Region>eu-central-1</Region></Error>"
		}
		return 200, "", "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"
	})
	for _, bucket := range []string{"near", "far", "far", "said"} {
		page, err := st.List(t.Context(), objects.Query{Bucket: bucket})
		if err != nil || len(page.Objects) != 1 {
			t.Errorf("%s: got %d objects, %v", bucket, len(page.Objects), err)
		}
	}
	want := "near.s3.us-east-1.amazonaws.com far.s3.us-east-1.amazonaws.com far.s3.eu-west-1.amazonaws.com far.s3.eu-west-1.amazonaws.com said.s3.us-east-1.amazonaws.com said.s3.eu-central-1.amazonaws.com"
	if got := strings.Join(hosts, " "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	st.fixed = true
	st.regions = map[string]string{}
	_, err = st.List(t.Context(), objects.Query{Bucket: "far"})
	if failure := st.Failure(err); !errors.Is(failure, source.ErrConfig) || !strings.Contains(failure.Error(), "eu-west-1") {
		t.Errorf("with a region that is configured: got %v", failure)
	}
}

func TestNoCredentials(t *testing.T) {
	environment(t, nil)
	_, values := newFake(t, map[string]map[string]string{"b": {}})
	err := suite.Open(t, objectstest.With(values, map[string]any{"aws_access_key_id": "", "aws_secret_access_key": ""})).Ping(t.Context())
	if !errors.Is(err, source.ErrAuth) || !strings.Contains(source.Hint(err), "aws_access_key_id") {
		t.Errorf("got %v, hint %q", err, source.Hint(err))
	}
}

// The token of a role comes from where tokens are given, not from the store, whatever AWS_ENDPOINT_URL says.
func TestRole(t *testing.T) {
	asked := 0
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if err := r.ParseForm(); err != nil || r.Form.Get("RoleArn") != "arn:aws:iam::1:role/reader" || r.Form.Get("ExternalId") != "x1" {
			t.Errorf("got %v, %v", r.Form, err)
		}
		_, _ = fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>temporary</AccessKeyId>
			<SecretAccessKey>s</SecretAccessKey><SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	t.Cleanup(tokens.Close)
	f, values := newFake(t, map[string]map[string]string{"b": {"a": "x"}})
	t.Setenv("AWS_ENDPOINT_URL", values["endpoint_url"].(string))
	t.Setenv("AWS_ENDPOINT_URL_STS", tokens.URL)
	src := suite.Open(t, objectstest.With(values, map[string]any{"endpoint_url": "", "role_arn": "arn:aws:iam::1:role/reader", "external_id": "x1"}))
	suite.ReadAll(t, src, 1)
	for _, r := range f.Requests() {
		if r.Header.Get("X-Amz-Security-Token") != "session" || !strings.Contains(r.Header.Get("Authorization"), "Credential=temporary/") {
			t.Errorf("asked as %s", r.Header.Get("Authorization"))
		}
	}
	if asked != 1 {
		t.Errorf("tokens were asked for %d times, want 1", asked)
	}
}

func TestSessionToken(t *testing.T) {
	t.Parallel()
	f, values := newFake(t, map[string]map[string]string{"b": {"a": "x"}})
	if err := suite.Open(t, objectstest.With(values, map[string]any{"session_token": "temp"})).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.Requests()[0].Header.Get("X-Amz-Security-Token"); got != "temp" {
		t.Errorf("got the token %q", got)
	}
}

// silent never returns credentials.
type silent struct{}

func (silent) Retrieve(ctx context.Context) (aws.Credentials, error) {
	<-ctx.Done()
	return aws.Credentials{}, ctx.Err()
}

// A service of credentials that accepts the request and never responds does not block the run.
func TestASilentServiceOfCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := (&bounded{silent{}}).Retrieve(t.Context())
		if failure := (&store{}).Failure(err); !errors.Is(failure, source.ErrAuth) || time.Since(began) > 15*time.Second {
			t.Errorf("got %v after %s", failure, time.Since(began))
		}
		over, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("stopped"))
		if _, err := (&bounded{silent{}}).Retrieve(over); err == nil || err.Error() != "stopped" {
			t.Errorf("canceled: got %v", err)
		}
	})
}

// environment sets variables, and hides what this machine has of AWS.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	all := map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "HOME": t.TempDir(),
		"AWS_SHARED_CREDENTIALS_FILE": "/absent", "AWS_CONFIG_FILE": "/absent", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	}
	maps.Copy(all, set)
	for name, value := range all {
		t.Setenv(name, value)
	}
}

// The file of a token is read again whenever credentials are renewed: what runs for long outlives its token.
func TestATokenFileIsReadAgain(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.FormValue("WebIdentityToken"))
		_, _ = fmt.Fprint(w, `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>temporary</AccessKeyId>
			<SecretAccessKey>s</SecretAccessKey><SessionToken>session</SessionToken><Expiration>2000-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`)
	}))
	t.Cleanup(tokens.Close)
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	environment(t, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::1:role/reader", "AWS_ENDPOINT_URL_STS": tokens.URL})
	_, values := newFake(t, map[string]map[string]string{"b": {"a": "x"}})
	write("one")
	src := suite.Open(t, objectstest.With(values, map[string]any{"aws_access_key_id": "", "aws_secret_access_key": ""}))
	if err := src.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	write("two")
	if err := src.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(seen) < 2 || seen[0] != "one" || seen[len(seen)-1] != "two" {
		t.Errorf("the tokens that were used: %q", seen)
	}
}

// A single sign-on that has run out, as it does before a nightly run, is said with what renews it.
func TestALoginThatHasRunOut(t *testing.T) {
	const start = "https://example.awsapps.com/start"
	home := t.TempDir()
	sum := sha1.Sum([]byte(start)) //nolint:gosec // the name of the file that AWS's programs keep a login in
	file := filepath.Join(home, ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
	config := filepath.Join(home, "config")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(file), 0o700),
		os.WriteFile(file, []byte(`{"accessToken":"t0ken","expiresAt":"2020-01-01T00:00:00Z"}`), 0o600),
		os.WriteFile(config, []byte("[profile night]\nsso_start_url = "+start+"\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = reader\n"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	environment(t, map[string]string{"HOME": home, "AWS_CONFIG_FILE": config, "AWS_PROFILE": "night"})
	_, values := newFake(t, map[string]map[string]string{"b": {}})
	err := suite.Open(t, objectstest.With(values, map[string]any{"aws_access_key_id": "", "aws_secret_access_key": ""})).Ping(t.Context())
	if !errors.Is(err, source.ErrAuth) || !strings.Contains(source.Hint(err), "aws sso login") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("got %v, hint %q", err, source.Hint(err))
	}
}
