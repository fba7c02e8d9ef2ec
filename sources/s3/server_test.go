package s3

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// server is the S3 server of the tests.
type server struct {
	t      *testing.T
	client *s3.Client
	values map[string]any
}

func newServer(t *testing.T) *server {
	t.Helper()
	endpoint := testenv.Required(t, "TEST_S3_ENDPOINT")
	key, secret := testenv.Required(t, "TEST_S3_ACCESS_KEY"), testenv.Required(t, "TEST_S3_SECRET_KEY")
	return &server{t: t, client: s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	}), values: map[string]any{"endpoint_url": endpoint, "aws_access_key_id": key, "aws_secret_access_key": secret, "max_attempts": 0}}
}

// bucket makes a bucket for the test.
func (s *server) bucket(files map[string]string) string {
	s.t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	if _, err := s.client.CreateBucket(s.t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		s.t.Fatal(err)
	}
	for key, data := range files {
		s.put(name, key, data)
	}
	return name
}

func (s *server) put(bucket, key, data string) {
	s.t.Helper()
	if _, err := s.client.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(data))}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) remove(bucket, key string) {
	if _, err := s.client.DeleteObject(s.t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
		s.t.Error(err)
	}
}

func TestContractOnAServer(t *testing.T) {
	s := newServer(t)
	one, two := s.bucket(seeded["one"]), s.bucket(seeded["two"])
	suite.ContractOnAServer(t, []string{one, two}, s.values, map[string]sourcetest.Broken{
		"secret": {Values: map[string]any{"aws_secret_access_key": "wrong"}, Kind: source.ErrAuth},
		"key":    {Values: map[string]any{"aws_access_key_id": "wrong"}, Kind: source.ErrAuth},
	})
}

func TestObjectsThatChangeOnAServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bucket := s.bucket(map[string]string{"a.txt": "first", "b.txt": "first", "c.txt": "stays"})
	docs, _ := suite.Read(t, suite.Open(t, objectstest.With(s.values, map[string]any{"buckets": bucket})))
	s.put(bucket, "a.txt", "other")
	s.remove(bucket, "b.txt")
	if _, err := objectstest.Content(t, docs["a.txt"]); !errors.Is(err, objects.ErrReplaced) {
		t.Errorf("replaced: got %v", err)
	}
	if _, err := objectstest.Content(t, docs["b.txt"]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: got %v", err)
	}
	if got, err := objectstest.Content(t, docs["c.txt"]); got != "stays" || err != nil {
		t.Errorf("unchanged: got %q, %v", got, err)
	}
}

// Of a bucket with versions only what is current counts.
func TestVersionsOnAServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bucket := s.bucket(nil)
	if _, err := s.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"first", "second"} {
		s.put(bucket, "a.txt", data)
		s.put(bucket, "b.txt", data)
	}
	s.remove(bucket, "b.txt")
	docs := suite.ReadAll(t, suite.Open(t, objectstest.With(s.values, map[string]any{"buckets": bucket})), 1)
	if got, err := objectstest.Content(t, docs["a.txt"]); got != "second" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// Ranges of a real server begin and end where they should.
func TestRangesOnAServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	files := map[string]string{}
	for i := range 60 {
		files[strings.Repeat("x", i%7)+aws.ToString(aws.String(string(rune('a'+i%26))))+string(rune('A'+i/26))+"/é.txt"] = "x"
	}
	bucket := s.bucket(files)
	src := suite.Open(t, objectstest.With(s.values, map[string]any{"buckets": bucket, "page_size": 5}))
	parts := 0
	for range src.Parts(t.Context()) {
		parts++
	}
	docs, failed := suite.Read(t, src)
	if len(docs) != len(files) || len(failed) > 0 || parts < 3 {
		t.Errorf("got %d documents of %d in %d parts, %v", len(docs), len(files), parts, failed)
	}
}

// The pages of a server are read here, not by the library.
func TestPagesOfAServerAreReadHere(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bucket := s.bucket(map[string]string{"a b.txt": "x", "é.txt": "y"})
	st := suite.Client(t, objectstest.With(s.values, map[string]any{"buckets": bucket}))
	ctx, here := withListing(t.Context())
	_, err := st.client(bucket).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, EncodingType: types.EncodingTypeUrl, FetchOwner: aws.Bool(true)})
	if err != nil || here.page == nil || len(here.page.Contents) != 2 {
		t.Errorf("got %+v, %v", here.page, err)
	}
}
