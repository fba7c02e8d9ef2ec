package protocol

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Store is the records of one cluster.
type Store struct {
	Connectors *Collection[Connector]
	Jobs       *Collection[Job]

	client  *elastic.Client
	log     *slog.Logger
	clock   clock
	version string // of the server
	api     bool   // the server has the Connector APIs, and they are to be used
}

// StoreOptions define how to reach a store.
type StoreOptions struct {
	Client *elastic.Client
	Info   elastic.Info // the server's description of itself
	Retry  retry.Policy // for requests that fail temporarily
	UseAPI bool         // use the Connector APIs if the server has them
	Log    *slog.Logger
	Now    func() time.Time
	// Ahead returns how far the server's clock is ahead of Now; nil means that both are the same.
	Ahead func(context.Context) (time.Duration, error)
}

// Open finds out whether the server has the Connector APIs. It changes nothing.
func Open(ctx context.Context, o StoreOptions) (*Store, error) {
	s := &Store{
		Connectors: &Collection[Connector]{o.Client, ConnectorsIndex, o.Retry},
		Jobs:       &Collection[Job]{o.Client, JobsIndex, o.Retry},
		client:     o.Client, log: o.Log, clock: clock{machine: o.Now, ask: o.Ahead}, version: o.Info.Version,
	}
	s.clock.set(ctx, o.Log)
	if !o.UseAPI {
		return s, nil
	}
	var err error
	s.api, err = o.Client.HasConnectorAPI(ctx)
	if errors.Is(err, elastic.ErrAuth) {
		s.log.Warn("no permission for the Connector APIs, so records are written directly; grant the cluster privilege manage_connector", report.Err, err.Error())
		err = nil
	}
	s.log.Debug("records", "connector_api", s.api)
	return s, err
}

// refresh makes writes visible to searches. Without the privilege a search may be a second old,
// which all decisions based on it tolerate.
func (s *Store) refresh(ctx context.Context, index string) error {
	err := s.client.Refresh(ctx, index)
	if errors.Is(err, elastic.ErrAuth) {
		s.log.Debug("no permission to refresh the index", report.Index, index)
		return nil
	}
	return err
}

// findJobs lists jobs, the oldest first. A job that cannot be read is reported and skipped.
func (s *Store) findJobs(ctx context.Context, query any) ([]Record[Job], error) {
	if err := s.refresh(ctx, JobsIndex); err != nil {
		return nil, err
	}
	found, unreadable, err := s.Jobs.Find(ctx, elastic.Search{Query: query, Sort: []any{map[string]string{"created_at": "asc"}}})
	for _, bad := range unreadable {
		s.log.Warn("skipping a sync job", report.Err, bad.Error())
	}
	return slices.DeleteFunc(found, func(j Record[Job]) bool {
		if j.Body.Connector.ID != "" {
			return false
		}
		s.log.Warn("skipping a sync job that names no connector and can never run; delete it", report.Job, j.ID)
		return true
	}), err
}

// ofAll reports whether an error of one record would occur for every other as well.
func ofAll(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, elastic.ErrUnreachable) || errors.Is(err, elastic.ErrTemporary) ||
		errors.Is(err, elastic.ErrAuth) || errors.Is(err, elastic.ErrConfig)
}

// term and terms are clauses of a query.
func term(field string, value any) any { return map[string]any{"term": map[string]any{field: value}} }

func terms[T ~string](field string, values []T) any {
	return map[string]any{"terms": map[string]any{field: values}}
}

func all(clauses ...any) any {
	return map[string]any{"bool": map[string]any{"filter": clauses}}
}

func not(clause any) any {
	return map[string]any{"bool": map[string]any{"must_not": []any{clause}}}
}

func exists(field string) any { return map[string]any{"exists": map[string]string{"field": field}} }

// newID is a random id of a record.
func newID() string { return rand.Text()[:20] }

// derivedID is an id that every program derives from the same facts, so that two programs that want the
// same record create one.
func derivedID(facts ...string) string {
	h := sha256.New()
	for _, fact := range facts {
		fmt.Fprintf(h, "%d:%s", len(fact), fact)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
}
