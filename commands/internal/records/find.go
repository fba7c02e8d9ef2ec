package records

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// ErrBusy is the error of a named sync whose connector is already being synced.
var ErrBusy = errors.New("the connector is already syncing")

// NotConfigured is the error of a connector without a complete configuration.
func NotConfigured(c *protocol.Record[protocol.Connector]) error {
	return &usage.Error{
		Problem: fmt.Sprintf("connector %s is not configured yet: its status is %s", term.Quoted(c.ID), c.Body.Status),
		Hint:    "save its configuration in Kibana, or with " + program.Name + " connector configure",
	}
}

// Missing is the error of a connector_id in the configuration without a record in Elasticsearch.
func Missing(id string) error {
	return &usage.Error{
		Problem: fmt.Sprintf("connector %s: %v", term.Quoted(id), protocol.ErrMissing),
		Hint:    program.Name + " connector create creates one; " + program.Name + " list connectors prints those that exist",
	}
}

// Registered lists the ids, names and indices of the connectors in Elasticsearch, by which they can be found. It is
// for hints, so an error yields none.
func Registered(ctx context.Context, records *protocol.Store) (names []string) {
	found, err := records.FindConnectors(ctx, nil)
	if err != nil {
		return nil
	}
	for i := range found {
		c := &found[i]
		for _, name := range []string{c.ID, c.Body.Name, string(c.Body.IndexName)} {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// Find looks a connector up by its id, its name or its index. The error has the kind [elastic.ErrNotFound] if
// there is none.
func Find(ctx context.Context, records *protocol.Store, name string) (protocol.Record[protocol.Connector], error) {
	if name == "" {
		return protocol.Record[protocol.Connector]{}, elastic.ErrNotFound
	}
	c, err := records.Connectors.Get(ctx, name)
	if err == nil && bool(c.Body.Deleted) {
		return c, elastic.ErrNotFound
	}
	if !errors.Is(err, elastic.ErrNotFound) {
		return c, err
	}
	exist, err := records.Exist(ctx)
	if err != nil || !exist {
		return c, errors.Join(err, elastic.ErrNotFound)
	}
	found, err := records.Named(ctx, name)
	switch {
	case err != nil:
		return c, err
	case len(found) == 0:
		return c, elastic.ErrNotFound
	case len(found) > 1:
		return c, &usage.Error{Problem: fmt.Sprintf("%d connectors have the name %s", len(found), term.Quoted(name)), Hint: "use the id of the connector"}
	}
	return found[0], nil
}
