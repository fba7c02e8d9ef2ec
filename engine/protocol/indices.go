package protocol

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// The indices of the records. Programs use the aliases; the indices themselves are numbered.
const (
	ConnectorsIndex = ".elastic-connectors"
	JobsIndex       = ".elastic-connectors-sync-jobs"
	firstOf         = "-v1"
)

// indices are the requests that create the two, as Elasticsearch's own templates would. If the
// server has such templates, it merges them with these.
//
//go:embed indices/connectors.json indices/sync-jobs.json
var indices embed.FS

// Ensure creates the two indices if they do not exist.
func (s *Store) Ensure(ctx context.Context) error {
	for alias, file := range map[string]string{ConnectorsIndex: "connectors", JobsIndex: "sync-jobs"} {
		_, err := s.client.Index(ctx, alias)
		if err == nil {
			continue
		}
		if !errors.Is(err, elastic.ErrNotFound) {
			return err
		}
		body, err := indices.ReadFile("indices/" + file + ".json")
		if err != nil {
			return fmt.Errorf("index %q: %w", alias, err)
		}
		// Kibana copies the pipeline that the index names into new connectors.
		body = bytes.ReplaceAll(body, []byte(searchPipeline), []byte(DefaultPipeline(s.version)))
		if err := s.client.CreateFrom(ctx, alias+firstOf, body); err != nil {
			return err
		}
		s.log.Info("created an index of the connector protocol", report.Index, alias+firstOf)
	}
	return nil
}

// Exist reports whether both indices exist.
func (s *Store) Exist(ctx context.Context) (bool, error) {
	for _, alias := range []string{ConnectorsIndex, JobsIndex} {
		_, err := s.client.Index(ctx, alias)
		if errors.Is(err, elastic.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
