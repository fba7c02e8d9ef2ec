package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

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
		if strings.HasPrefix(r.URL.Host, "far.s3.us-east-1.") {
			return 301, "X-Amz-Bucket-Region=eu-west-1", "<Error><Code>PermanentRedirect</Code></Error>"
		}
		return 200, "", "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"
	})
	for _, bucket := range []string{"near", "far", "far"} {
		page, err := st.List(t.Context(), objects.Query{Bucket: bucket})
		if err != nil || len(page.Objects) != 1 {
			t.Errorf("%s: got %d objects, %v", bucket, len(page.Objects), err)
		}
	}
	want := "near.s3.us-east-1.amazonaws.com far.s3.us-east-1.amazonaws.com far.s3.eu-west-1.amazonaws.com far.s3.eu-west-1.amazonaws.com"
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
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "HOME": t.TempDir(),
		"AWS_SHARED_CREDENTIALS_FILE": "/absent", "AWS_CONFIG_FILE": "/absent", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	_, values := newFake(t, map[string]map[string]string{"b": {}})
	err := opened(t, objectstest.With(values, map[string]any{"aws_access_key_id": "", "aws_secret_access_key": ""}), nil).Ping(t.Context())
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
	src := opened(t, objectstest.With(values, map[string]any{"endpoint_url": "", "role_arn": "arn:aws:iam::1:role/reader", "external_id": "x1"}), nil)
	if docs, failed := read(t, src); len(docs) != 1 || len(failed) > 0 {
		t.Errorf("got %d documents, %v", len(docs), failed)
	}
	for _, r := range f.requests() {
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
	if err := opened(t, objectstest.With(values, map[string]any{"session_token": "temp"}), nil).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.requests()[0].Header.Get("X-Amz-Security-Token"); got != "temp" {
		t.Errorf("got the token %q", got)
	}
}
