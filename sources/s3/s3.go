// Package s3 is the source type "s3": the objects of buckets of Amazon S3, and of stores that speak its
// protocol, such as MinIO, Ceph and Cloudflare R2.
//
// Code shared with other object stores is in sources/internal/objects; this package has the client, its
// credentials and regions, and the document of an object.
//
// Its invariant: the document of an object depends only on the object, and its content is read on
// condition that it is still the listed one.
package s3

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// The names of configurable fields.
const (
	fieldBuckets      = "buckets"
	fieldKey          = "aws_access_key_id"
	fieldSecret       = "aws_secret_access_key"
	fieldReadTimeout  = "read_timeout"
	fieldDialTimeout  = "connect_timeout"
	fieldAttempts     = "max_attempts"
	fieldPage         = "page_size"
	fieldToken        = "session_token"
	fieldRole         = "role_arn"
	fieldExternalID   = "external_id"
	fieldEndpoint     = "endpoint_url"
	fieldRegion       = "region"
	fieldPathStyle    = "force_path_style"
	fieldVerify       = "verify_tls"
	fieldRequestPayer = "request_payer"
	fieldExtended     = "extended_metadata"
)

// The indexed fields. bucketField determines the scope of a document, nameField is its name, etagField its version; the
// last three are optional.
const (
	bucketField = "bucket"
	nameField   = "filename"
	sizeField   = "size_in_bytes"
	ownerField  = "owner"
	classField  = "storage_class"
	etagField   = "etag"

	ownerIDField   = "owner_id"
	urlField       = "content_url"
	extensionField = "extension"
)

// Type is the source type.
var Type = objects.SourceType(source.Type{
	Name:          "s3",
	Title:         "Amazon S3",
	Fields:        fields(),
	VersionFields: []string{etagField},
	ScopeFields:   []string{bucketField, nameField},
	TitleField:    nameField,
	// Buckets can be added and removed, as they are scopes; another store is another source.
	IdentityFields: source.Identity(fieldEndpoint),
	AdvancedRules:  true,
	CommonFields:   commonFields,
}, "bucket", fieldBuckets, connect)

// commonFields are the fields of a document besides its time. A key is text that people search.
func commonFields(v field.Values) []source.DescribedField {
	fields := []source.DescribedField{
		{Name: nameField, Kind: source.Text},
		{Name: sizeField, Kind: source.Long},
		{Name: bucketField, Kind: source.Keyword},
		{Name: ownerField, Kind: source.Keyword},
		{Name: classField, Kind: source.Keyword},
		{Name: etagField, Kind: source.Keyword},
	}
	if v.Bool(fieldExtended) {
		fields = append(fields,
			source.DescribedField{Name: ownerIDField, Kind: source.Keyword},
			source.DescribedField{Name: urlField, Kind: source.Keyword},
			source.DescribedField{Name: extensionField, Kind: source.Keyword})
	}
	return fields
}

// fields are the keys of the connector protocol, in its order, followed by our own.
func fields() []field.Spec {
	return []field.Spec{
		objects.NamesField(fieldBuckets, "AWS Buckets", 1, "Names of buckets, or patterns such as logs-*; * is all. Ignored if advanced rules name buckets."),
		{
			Name: fieldKey, Label: "AWS Access Key Id", Order: 2, Optional: true,
			Tooltip: "Empty: the credentials of the environment, of the shared files, of the container or of the machine.",
		},
		{
			Name: fieldSecret, Label: "AWS Secret Key", Order: 3, Optional: true, Sensitive: true,
			Tooltip: "The secret of the access key.",
		},
		objects.Number(fieldReadTimeout, "Read timeout", 4, 90, "Seconds without a byte after which a connection is closed."),
		objects.Number(fieldDialTimeout, "Connection timeout", 5, 90, "Seconds within which a connection must be established."),
		objects.Retries(fieldAttempts, "Maximum retry attempts", 6, 5),
		objects.Number(fieldPage, "Maximum size of page", 7, 1000, "Objects in one page of a listing; a store gives at most 1000."),
		source.ExtractionService(8),
		objects.Secret(fieldToken, "Session token", 9, "The session token of temporary keys."),
		objects.Text(fieldRole, "Role", 10, "ARN of a role to assume with these credentials."),
		objects.Text(fieldExternalID, "External id", 11, "The external id that the role requires."),
		objects.Text(fieldEndpoint, "Endpoint", 12, "Address of an S3-compatible store, such as https://minio.example.com:9000. Empty: AWS."),
		objects.Text(fieldRegion, "Region", 13, "Region of the buckets. Empty: determined for each bucket from AWS's responses."),
		objects.Toggle(fieldPathStyle, "Path style", 14, true, "Whether the bucket is in the path of an address, not in its host name. Only for an endpoint; AWS has it in the host name."),
		objects.Toggle(fieldVerify, "Verify certificate", 15, true, "Whether the certificate of the store is checked."),
		objects.Toggle(fieldRequestPayer, "Requester pays", 16, false, "Whether this account pays for reading from buckets with requester pays."),
		objects.Toggle(fieldExtended, "Extended metadata", 17, false, "Whether documents also have owner_id, content_url and extension."),
	}
}
