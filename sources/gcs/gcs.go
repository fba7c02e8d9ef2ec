// Package gcs is the source type "google_cloud_storage": the objects of buckets of Google Cloud Storage.
//
// Code shared with other object stores is in sources/internal/objects; this package has the client, its
// credentials, and the document of an object.
//
// Its invariant: the document of an object depends only on the object, and its content is that of the
// listed generation.
package gcs

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// The names of configurable fields.
const (
	fieldBuckets     = "buckets"
	fieldCredentials = "service_account_credentials"
	fieldRetries     = "retry_count"
	fieldProject     = "project_id"
	fieldEndpoint    = "endpoint_url"
)

// The indexed fields. bucketField determines the scope of a document, nameField its name.
const (
	bucketField     = "bucket_name"
	nameField       = "name"
	componentsField = "component_count"
	encodingField   = "content_encoding"
	languageField   = "content_language"
	createdField    = "created_at"
	updatedField    = "last_updated"
	metadataField   = "metadata"
	sizeField       = "size"
	classField      = "storage_class"
	typeField       = "type"
	versionField    = "version"
	urlField        = "url"
)

// Type is the source type.
var Type = objects.SourceType(source.Type{
	Name:        "google_cloud_storage",
	Title:       "Google Cloud Storage",
	Fields:      fields(),
	ScopeFields: []string{bucketField},
	// Buckets can be added and removed, as they are scopes; another service is another source.
	IdentityFields: source.Identity(fieldEndpoint),
	CommonFields:   commonFields,
}, "bucket", fieldBuckets, connect)

// commonFields are the fields of a document besides its time and its metadata, whose keys the owner chooses. A name is
// text that people search; a size is a number, which the API writes as text.
func commonFields(field.Values) []source.DescribedField {
	return []source.DescribedField{
		{Name: componentsField, Kind: source.Long},
		{Name: encodingField, Kind: source.Keyword},
		{Name: languageField, Kind: source.Keyword},
		{Name: createdField, Kind: source.Date},
		{Name: updatedField, Kind: source.Date},
		{Name: nameField, Kind: source.Text},
		{Name: sizeField, Kind: source.Decimal},
		{Name: classField, Kind: source.Keyword},
		{Name: typeField, Kind: source.Keyword},
		{Name: versionField, Kind: source.Keyword},
		{Name: bucketField, Kind: source.Keyword},
		{Name: urlField, Kind: source.Keyword},
	}
}

// fields are the keys of the connector protocol, in its order, followed by our own.
func fields() []field.Spec {
	return []field.Spec{
		objects.NamesField(fieldBuckets, "Google Cloud Storage buckets", 1, "Names of buckets, or patterns such as logs-*; * is all buckets of the project."),
		{
			Name: fieldCredentials, Label: "Google Cloud service account JSON", Order: 2, Display: field.TextArea, Optional: true, Sensitive: true,
			Tooltip: "The key file of a service account, as JSON. Empty: application default credentials.",
		},
		source.ExtractionService(3),
		objects.Retries(fieldRetries, "Maximum retries for failed requests", 4, 3),
		objects.Text(fieldProject, "Project", 5, "The project whose buckets * lists, and that pays for buckets with requester pays. Empty: that of the key."),
		objects.Text(fieldEndpoint, "Endpoint", 6, "Address of an emulator, such as http://127.0.0.1:4443/storage/v1/, to which no credentials are sent. Empty: Google."),
	}
}
