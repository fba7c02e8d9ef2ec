package mirror

import (
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/analysis"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// CreationOf is how the index of a connector is created if it does not exist: with settings for its language,
// overridden by its mappings file.
func CreationOf(cfg *config.Config, c *config.Connector) (elastic.Creation, error) {
	var create elastic.Creation
	language := c.Language
	if language == "" {
		language = cfg.Elasticsearch.LanguageCode
	}
	if language != "" {
		settings, mappings, ok := analysis.Of(language, cfg.Elasticsearch.AnalysisICU)
		if !ok {
			return create, &usage.Error{Problem: fmt.Sprintf("connector %s: unknown language %s", term.Quoted(c.Name), term.Quoted(language))}
		}
		var err error
		if create, err = elastic.NewCreation(settings, mappings); err != nil {
			return create, fmt.Errorf("connector %s: language %s: %w", term.Quoted(c.Name), language, err)
		}
	}
	if c.Mappings == "" {
		return create, nil
	}
	raw, err := setup.ReadFile(c.Mappings)
	if err != nil {
		return create, &usage.Error{Problem: fmt.Sprintf("connector %s: mappings: %v", term.Quoted(c.Name), err), Hint: "set mappings to a file that this user can read"}
	}
	if create, err = create.With(raw); err != nil {
		return create, &usage.Error{
			Problem: fmt.Sprintf("connector %s: mappings: %s: %v", term.Quoted(c.Name), term.Plain(c.Mappings), err),
			Hint:    `the file must contain one JSON object such as {"mappings": {"properties": {"price": {"type": "double"}}}, "settings": {"number_of_shards": 3}}`,
		}
	}
	return create, nil
}
