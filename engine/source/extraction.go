package source

import "github.com/elastic-ingest/elastic-ingest/engine/field"

// ExtractionServiceField is the key of the connector protocol that enables an extraction service for the content
// of a connector. Sources of files have it.
const ExtractionServiceField = "use_text_extraction_service"

// ExtractionService is that field; order is its position in the form of a connector.
func ExtractionService(order int) field.Spec {
	return field.Spec{
		Name: ExtractionServiceField, Label: "Use text extraction service", Order: order, Type: field.Bool, Display: field.Toggle,
		Value: false, Advanced: true,
		Tooltip: "Extract the text of files with the service that extraction_service.host names in the configuration file. The pipeline setting to extract content is then not needed.",
	}
}
