// Package azureblob is the source type "azure_blob_storage": the blobs of the containers of one account
// of Azure Blob Storage.
//
// Code shared with other object stores is in sources/internal/objects; this package has the client, its
// credentials, and the document of a blob.
//
// Its invariant: the document of a blob depends only on the blob, and its content is read on condition
// that it is still the listed one.
package azureblob

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// The names of configurable fields.
const (
	fieldAccount     = "account_name"
	fieldKey         = "account_key"
	fieldEndpoint    = "blob_endpoint"
	fieldContainers  = "containers"
	fieldRetries     = "retry_count"
	fieldDownloads   = "concurrent_downloads"
	fieldSAS         = "sas_token"
	fieldTenant      = "tenant_id"
	fieldClient      = "client_id"
	fieldSecret      = "client_secret"
	fieldSkipFolders = "skip_directories"
)

// The indexed fields. containerField determines the scope of a document, etagField its version.
const (
	containerField         = "container"
	titleField             = "title"
	etagField              = "etag"
	createdField           = "created at"
	typeField              = "content type"
	containerMetadataField = "container metadata"
	metadataField          = "metadata"
	leaseField             = "leasedata"
	tierField              = "tier"
	sizeField              = "size"
)

// Type is the source type.
var Type = objects.SourceType(source.Type{
	Name:          "azure_blob_storage",
	Title:         "Azure Blob Storage",
	Fields:        fields(),
	VersionFields: []string{etagField},
	ScopeFields:   []string{containerField},
	// Containers can be added and removed, as they are scopes; another account is another source.
	IdentityFields: source.Identity(fieldAccount),
	CommonFields:   commonFields,
}, "container", fieldContainers, connect)

// commonFields are the fields of a document besides its time. A name, and metadata written as a dictionary, is text
// that people search.
func commonFields(field.Values) []source.DescribedField {
	return []source.DescribedField{
		{Name: createdField, Kind: source.Date},
		{Name: typeField, Kind: source.Keyword},
		{Name: containerMetadataField, Kind: source.Text},
		{Name: metadataField, Kind: source.Text},
		{Name: leaseField, Kind: source.Text},
		{Name: titleField, Kind: source.Text},
		{Name: tierField, Kind: source.Keyword},
		{Name: sizeField, Kind: source.Long},
		{Name: containerField, Kind: source.Keyword},
		{Name: etagField, Kind: source.Keyword},
	}
}

// fields are the keys of the connector protocol, in its order, followed by our own.
func fields() []field.Spec {
	downloads := objects.Number(fieldDownloads, "Maximum concurrent downloads", 6, 100, "The most connections to the account at a time. How many blobs are read at a time is engine.readers.")
	downloads.Validations = append(downloads.Validations, field.Validation{Type: field.LessThan, Constraint: 101})
	return []field.Spec{
		{Name: fieldAccount, Label: "Azure Blob Storage account name", Order: 1, Tooltip: "The storage account."},
		{
			Name: fieldKey, Label: "Azure Blob Storage account key", Order: 2, Optional: true, Sensitive: true,
			Tooltip: "One of the keys of the account. Empty: sas_token, or an identity of Microsoft Entra.",
		},
		{
			Name: fieldEndpoint, Label: "Azure Blob Storage blob endpoint", Order: 3, Optional: true,
			Tooltip: "Address of the account. Empty: https://ACCOUNT.blob.core.windows.net.",
		},
		objects.NamesField(fieldContainers, "Azure Blob Storage containers", 4, "Names of containers, or patterns such as logs-*; * is all."),
		objects.Retries(fieldRetries, "Retries per request", 5, 3), downloads, source.ExtractionService(7),
		objects.Secret(fieldSAS, "Shared access signature", 8, "A token of the account or of a container, with the rights to read and to list, instead of the key."),
		objects.Text(fieldTenant, "Tenant", 9, "The tenant of a Microsoft Entra application to read with; needs client_id and client_secret."),
		objects.Text(fieldClient, "Client id", 10, "The client id of that application; without client_secret, that of a managed identity."),
		objects.Secret(fieldSecret, "Client secret", 11, "The secret of that application."),
		objects.Toggle(fieldSkipFolders, "Skip directories", 12, true, "Whether to skip the entries of directories that accounts with a hierarchical namespace have."),
	}
}
