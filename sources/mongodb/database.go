package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// database is the opened source.
type database struct {
	set     settings
	dial    dialer
	stall   time.Duration
	log     *slog.Logger
	idsOnly bool
	pause   func(context.Context, time.Duration) error
	cutting cutting
	batch   int32 // documents that the server sends at a time

	handshakes handshakes

	mu     sync.Mutex
	client *mongo.Client // nil until it is needed
}

var _ source.Source = (*database)(nil)

func newDatabase(s settings, env source.Env) *database {
	return &database{
		set: s, dial: dial, stall: env.StallTimeout, log: env.Log, idsOnly: env.IDsOnly, pause: link.Pause,
		cutting: cutting{documents: rangeDocuments, most: mostRanges}, batch: batchDocuments,
	}
}

// Close ends all connections.
func (d *database) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangUpTimeout)
	defer cancel()
	_ = d.client.Disconnect(ctx) // connections that have not ended by then are cut
	d.client = nil
	return nil
}

// Validate checks that the configured collections exist.
func (d *database) Validate(ctx context.Context) error {
	_, err := d.catalogue(ctx)
	return err
}

// collection is a collection of the database.
type collection struct {
	name string
	kind string // as reported by the server: collection, view, timeseries; "" if it cannot be listed
}

// plain reports whether it has a reliable index on _id.
func (c *collection) plain() bool { return c.kind == "collection" || c.kind == "" }

// catalogue is the state of the configured collections.
type catalogue struct {
	found   []collection // to read
	missing []string     // named, but missing
	known   []collection // all that are visible to the user
}

// catalogue lists the collections. It fails if there is nothing at all to read, which never counts as an empty
// collection.
func (d *database) catalogue(ctx context.Context) (c catalogue, err error) {
	c.known, err = d.collections(ctx, "")
	exact := d.set.collections.exact()
	switch {
	case err == nil:
	case code(err) != codeUnauthorized || !d.hasLogin():
		return c, d.connectError(ctx, err, fmt.Sprintf("list the collections of %s at %s", d.set.database, d.set.address.hosts()))
	case len(exact) == len(d.set.collections):
		// The names are known; reading them shows which of them can be read.
		for _, name := range exact {
			c.found = append(c.found, collection{name: name})
		}
		return c, nil
	default:
		return c, &source.Error{
			Kind: source.ErrAuth, Err: fmt.Errorf("list the collections of %s: %w", d.set.database, d.shorten(err)),
			Hint: "name the collections one by one, or let the user list them: " + d.grant(""),
		}
	}
	seen := map[string]bool{}
	for _, k := range c.known {
		if d.set.collections.wants(k.name) {
			c.found = append(c.found, k)
			seen[k.name] = true
		}
	}
	for _, name := range exact {
		if !seen[name] && d.set.collections.wants(name) {
			c.missing = append(c.missing, name)
		}
	}
	if len(c.found) == 0 {
		err = d.nothingToRead(ctx, &c)
		return c, err
	}
	return c, nil
}

// collections lists the collections of the database that are visible to the user, or the one with a name.
func (d *database) collections(ctx context.Context, name string) (all []collection, err error) {
	command := bson.D{{Key: "listCollections", Value: 1}}
	if name != "" {
		command = append(command, bson.E{Key: "filter", Value: bson.D{{Key: "name", Value: name}}})
	}
	command = append(command, bson.E{Key: "nameOnly", Value: true}, bson.E{Key: "authorizedCollections", Value: true})
	err = d.each(ctx, command, func(raw bson.Raw) error {
		c := collection{kind: "collection"}
		var ok bool
		if c.name, ok = raw.Lookup("name").StringValueOK(); !ok {
			return errors.New("the server listed a collection without a name")
		}
		if kind, ok := raw.Lookup("type").StringValueOK(); ok {
			c.kind = kind
		}
		if name == "" || name == c.name { // not every server supports the filter
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

// mostNames is how many names a message lists.
const mostNames = 50

// nothingToRead explains why there is no collection to read.
func (d *database) nothingToRead(ctx context.Context, c *catalogue) error {
	e := &source.Error{Kind: source.ErrConfig}
	switch {
	case len(c.known) == 0:
		e.Err = fmt.Errorf("the database %q has no collection that the user may read", d.set.database)
		e.Hint = "check database: and the user's privileges: " + d.grant("")
		if names := d.databases(ctx); names != "" {
			e.Hint = "check database:; the server has " + names + "; or let the user read it: " + d.grant("")
		}
	case len(c.missing) == 1:
		e.Err = fmt.Errorf("the database %q has no collection %q that the user may read", d.set.database, c.missing[0])
		e.Hint = "check collection:; the database has " + namesOf(c.known) + "; or let the user read it: " + d.grant(c.missing[0])
		if n := near(c.missing[0], c.known); n != "" {
			e.Hint = fmt.Sprintf("did you mean %s? Otherwise let the user read it: %s", n, d.grant(c.missing[0]))
		}
	default:
		e.Err = fmt.Errorf("no collection of the database %q matches the key collection", d.set.database)
		e.Hint = "the database has " + namesOf(c.known)
	}
	return e
}

// databases names the databases that are visible to the user; "" if that is unknown.
func (d *database) databases(ctx context.Context) string {
	answer, err := d.ask(ctx, "admin", bson.D{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "authorizedDatabases", Value: true}})
	if err != nil {
		return ""
	}
	var all []collection
	list, _ := answer.Lookup("databases").ArrayOK()
	values, _ := list.Values()
	for _, v := range values {
		if member, ok := v.DocumentOK(); ok {
			if name, ok := member.Lookup("name").StringValueOK(); ok {
				all = append(all, collection{name: name})
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return namesOf(all)
}

func namesOf(all []collection) string {
	text := ""
	for i, c := range all {
		if i == mostNames {
			return text + fmt.Sprintf(" and %d more", len(all)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += c.name
	}
	return text
}

// Parts lists the collections; missing ones are parts that fail.
func (d *database) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		parts, err := d.list(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, p := range parts {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (d *database) list(ctx context.Context) (all []source.Part, err error) {
	c, err := d.catalogue(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range c.missing {
		hint := fmt.Sprintf("remove it from collection:, or let the user read it: %s", d.grant(name))
		if n := near(name, c.known); n != "" {
			hint = fmt.Sprintf("did you mean %s? Otherwise %s", n, hint)
		}
		all = append(all, &missing{name: name, err: &source.Error{
			Kind: source.ErrConfig, Part: scopeName(name), Err: errors.New("the collection does not exist, or the user may not read it"), Hint: hint,
		}})
	}
	for _, found := range c.found {
		for _, p := range d.cut(ctx, found, len(c.found)) {
			all = append(all, p)
		}
	}
	return all, nil
}
