package mongodb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// place is a position in a change stream: after a token, or at a time.
type place struct {
	token bson.Raw
	time  *bson.Timestamp
	read  string // the digest of the collections and fields read up to there
}

// written is a position as JSON.
type written struct {
	Token string `json:"resume_token,omitempty"` // BSON in base64; only the server interprets it
	Time  string `json:"operation_time,omitempty"`
	Read  string `json:"read"`
}

func (p place) cursor() source.Cursor {
	w := written{Read: p.read}
	if p.token != nil {
		w.Token = base64.StdEncoding.EncodeToString(p.token)
	} else {
		w.Time = fmt.Sprintf("%d.%d", p.time.T, p.time.I)
	}
	text, _ := json.Marshal(w) // texts always have a JSON form
	return source.Cursor(text)
}

var errPlace = errors.New("the stored position in the change stream has an unknown format")

func parsePlace(c source.Cursor) (*place, error) {
	var w written
	if err := json.Unmarshal([]byte(c), &w); err != nil {
		return nil, errPlace
	}
	p := &place{read: w.Read}
	if w.Token != "" {
		token, err := base64.StdEncoding.DecodeString(w.Token)
		if p.token = token; err != nil || p.token.Validate() != nil {
			return nil, errPlace
		}
		return p, nil
	}
	p.time = &bson.Timestamp{}
	if n, err := fmt.Sscanf(w.Time, "%d.%d", &p.time.T, &p.time.I); err != nil || n != 2 {
		return nil, errPlace
	}
	return p, nil
}

// whatIsRead identifies what the changes belong to.
type whatIsRead struct {
	found   map[string]watched // by name
	digest  string             // of the collections, the server, and the fields and rules
	sharded bool
}

// watched is a collection, and what distinguishes it from a later one with the same name.
type watched struct {
	collection
	identity string
}

// whatIsRead looks up the collections. A change stream does not show the content of a collection from before it
// was renamed into the database, or before the user could read it; so other collections have another digest.
func (s *streaming) whatIsRead(ctx context.Context) (w whatIsRead, err error) {
	c, err := s.catalogue(ctx)
	if err != nil {
		return w, err
	}
	identities, err := s.identities(ctx)
	if err != nil {
		return w, err
	}
	setName, sharded, err := s.topology(ctx)
	if err != nil {
		return w, err
	}
	w.found, w.sharded = map[string]watched{}, sharded
	for _, found := range c.found {
		if !found.plain() {
			return w, form.ConfigError(fmt.Errorf("change_streams: %s is a %s, and has no change stream", scopeName(found.name), found.kind),
				"remove it from collection:, or set change_streams: false; then an incremental sync reads everything")
		}
		w.found[found.name] = watched{found, identities[found.name]}
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q", setName, s.set.read)
	for _, name := range slices.Sorted(maps.Keys(w.found)) {
		_, _ = fmt.Fprintf(h, "%q %q", name, w.found[name].identity)
	}
	w.digest = hex.EncodeToString(h.Sum(nil)[:16])
	return w, nil
}

// identities are the server's own ids of the collections, if the user may see them.
func (s *streaming) identities(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	err := s.each(ctx, bson.D{{Key: "listCollections", Value: 1}}, func(raw bson.Raw) error {
		if name, ok := raw.Lookup("name").StringValueOK(); ok {
			all[name] = identityOf(raw)
		}
		return nil
	})
	if err != nil && !refused(err) { // a user who may read a collection can see its name, but perhaps no more
		return nil, s.connectError(ctx, err, "look up the collections of "+s.set.database)
	}
	return all, nil
}

// topology returns whether the server is a router of a sharded cluster, whose stream may be silent before
// its end, and otherwise the name of the replica set.
func (s *streaming) topology(ctx context.Context) (setName string, sharded bool, err error) {
	hello, err := s.ask(ctx, "admin", bson.D{{Key: "hello", Value: 1}})
	if code(err) == codeNoCommand {
		return "", false, nil
	}
	if err != nil {
		return "", false, s.connectError(ctx, err, "detect the kind of server at "+s.set.address.hosts())
	}
	setName, _ = hello.Lookup("setName").StringValueOK()
	msg, _ := hello.Lookup("msg").StringValueOK()
	return setName, msg == "isdbgrid", nil
}
