package azureblob

import (
	"context"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// plainPage is a page as Azure writes it, with what a page may hold.
const plainPage = "\uFEFF" + `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.blob.core.windows.net/" ContainerName="c"><Prefix>a/</Prefix><MaxResults>5000</MaxResults>
<Blobs><Blob><Name>a/it's &amp; &lt;b&gt;.txt</Name><VersionId>2024-05-06T12:00:00.0000000Z</VersionId><Properties><Creation-Time>Thu, 21 Apr 2022 12:00:00 GMT</Creation-Time><Last-Modified>Thu, 21 Apr 2022 12:12:30 GMT</Last-Modified><Etag>0x8DA1</Etag>
<Content-Length>5497558138880</Content-Length><Content-Type>text/plain; charset=utf-8</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><Cache-Control /><Content-Disposition /><BlobType>BlockBlob</BlobType>
<AccessTier>Archive</AccessTier><AccessTierInferred>true</AccessTierInferred><ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus><LeaseStatus>locked</LeaseStatus><LeaseState>leased</LeaseState><LeaseDuration>infinite</LeaseDuration><ServerEncrypted>true</ServerEncrypted></Properties>
<Metadata><Owner>it's &#39;me&#39;</Owner><hdi_isfolder>true</hdi_isfolder><empty></empty></Metadata><OrMetadata /></Blob>
<Blob><Name>日本/😀</Name><Properties><Last-Modified>Thu, 21 Apr 2022 12:12:30 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>0</Content-Length></Properties><Metadata /></Blob></Blobs><NextMarker>2!88!a&amp;b</NextMarker></EnumerationResults>`

// byLibrary is what the library reads of a page.
func byLibrary(ctx context.Context, body []byte) (*page, error) {
	client, err := container.NewClientWithNoCredential("http://account/c", &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: objectstest.Always(body), Retry: policy.RetryOptions{MaxRetries: -1},
	}})
	if err != nil {
		return nil, err
	}
	answer, err := client.NewListBlobsFlatPager(nil).NextPage(ctx)
	if err != nil {
		return nil, err
	}
	p := &page{next: value(answer.NextMarker)}
	if answer.Segment != nil {
		p.blobs = answer.Segment.BlobItems
	}
	return p, nil
}

// used is what documents are made of.
func used(blobs []*container.BlobItem) []container.BlobItem {
	out := []container.BlobItem{}
	for _, b := range blobs {
		item := container.BlobItem{Name: b.Name, Metadata: b.Metadata}
		if p := b.Properties; p != nil {
			item.Properties = &container.BlobProperties{
				CreationTime: p.CreationTime, LastModified: p.LastModified, ETag: p.ETag, ContentLength: p.ContentLength, ContentType: p.ContentType,
				AccessTier: p.AccessTier, ArchiveStatus: p.ArchiveStatus, LeaseStatus: p.LeaseStatus, LeaseState: p.LeaseState, LeaseDuration: p.LeaseDuration,
			}
		}
		out = append(out, item)
	}
	return out
}

// A page as Azure writes it is read here: otherwise the library would, slowly.
func TestAPageIsReadHere(t *testing.T) {
	t.Parallel()
	p := parsePage([]byte(plainPage))
	if p == nil || len(p.blobs) != 2 || p.next != "2!88!a&b" || value(p.blobs[0].Metadata["owner"]) != "it's 'me'" {
		t.Errorf("got %+v", p)
	}
}

// FuzzPage: what is read here is what the library reads, of all that is used. The library refuses a page for fields
// that are not.
func FuzzPage(f *testing.F) {
	names := []string{"Name", "Properties", "Etag", "Content-Length", "Last-Modified", "Metadata", "Owner", "Blobs", "Blob", "NextMarker", "Content-MD5", "ServerEncrypted"}
	objectstest.AddOddPages(f, plainPage, names, func(name, tag string) []string {
		return []string{"<" + name + ` Encoded="true">`, "<" + strings.ToUpper(name) + ">", "<Snapshot>x</Snapshot><Deleted>true</Deleted>" + tag}
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		got := parsePage(body)
		if got == nil {
			return // it is the library's
		}
		want, err := byLibrary(t.Context(), body)
		if err != nil {
			if strings.Contains(err.Error(), "syntax error") || strings.Contains(err.Error(), "EOF") {
				t.Errorf("read here, and no XML: %v", err)
			}
			return
		}
		if d := cmp.Diff(used(want.blobs), used(got.blobs)); d != "" || want.next != got.next {
			t.Errorf("next %q and here %q, -library +here:\n%s", want.next, got.next, d)
		}
	})
}
