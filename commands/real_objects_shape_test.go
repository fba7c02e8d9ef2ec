package commands_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// emptyStore creates an empty bucket or container on the server of a source type, and returns its
// configuration.
func emptyStore(t *testing.T, serviceType string) (values string) {
	t.Helper()
	switch serviceType {
	case "s3":
		s := newBuckets(t, "")
		return fmt.Sprintf("buckets: [%s], endpoint_url: %q, aws_access_key_id: %q, aws_secret_access_key: %q, extended_metadata: true",
			s.one, testenv.Required(t, "TEST_S3_ENDPOINT"), testenv.Required(t, "TEST_S3_ACCESS_KEY"), testenv.Required(t, "TEST_S3_SECRET_KEY"))
	case "google_cloud_storage":
		return fmt.Sprintf("buckets: [%s], endpoint_url: %q", emptyGoogleBucket(t), testenv.Required(t, "TEST_GCS_ENDPOINT"))
	}
	account, key := testenv.Required(t, "TEST_AZURE_ACCOUNT"), testenv.Required(t, "TEST_AZURE_KEY")
	endpoint, name := testenv.Required(t, "TEST_AZURE_ENDPOINT"), "e2e-"+strings.ToLower(rand.Text())
	credential, err := service.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := service.NewClientWithSharedKeyCredential(endpoint, credential, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateContainer(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("containers: [%s], account_name: %q, account_key: %q, blob_endpoint: %q", name, account, key, endpoint)
}

// emptyGoogleBucket creates a bucket on the stand-in for Google Cloud Storage.
func emptyGoogleBucket(t *testing.T) (name string) {
	t.Helper()
	name = "e2e-" + strings.ToLower(rand.Text())
	postToGoogle(t, testenv.Required(t, "TEST_GCS_ENDPOINT")+"b?project=p", "application/json", `{"name":"`+name+`"}`)
	return name
}

func postToGoogle(t *testing.T, address, contentType, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", address, answer.Status)
	}
}

// TestAnEmptyBucketShapesTheIndex: the fields of every object are mapped before the first object exists, the
// same as afterwards.
func TestAnEmptyBucketShapesTheIndex(t *testing.T) {
	t.Parallel()
	for serviceType, want := range map[string]map[string]string{
		"s3": {
			"size_in_bytes": "long", "bucket": "keyword", "owner": "keyword", "storage_class": "keyword", "etag": "keyword",
			"owner_id": "keyword", "content_url": "keyword", "extension": "keyword",
		},
		"google_cloud_storage": {
			"component_count": "long", "content_encoding": "keyword", "content_language": "keyword", "created_at": "date", "last_updated": "date",
			"size": "double", "storage_class": "keyword", "type": "keyword", "version": "keyword", "bucket_name": "keyword", "url": "keyword",
		},
		"azure_blob_storage": {
			"created at": "date", "content type": "keyword", "tier": "keyword", "size": "long", "container": "keyword", "etag": "keyword",
		},
	} {
		t.Run(serviceType, func(t *testing.T) {
			t.Parallel()
			destinations(t, func(t *testing.T, elasticsearch string) {
				b := newBenchOf(t, elasticsearch)
				b.writePlain(serviceType, emptyStore(t, serviceType), "")
				b.must(0, "sync")
				got := b.types()
				if got["_timestamp"] != "date" {
					t.Errorf("_timestamp is mapped as %q", got["_timestamp"])
				}
				for _, own := range []string{"_timestamp", "id"} { // the engine's
					delete(got, own)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			})
		})
	}
}
