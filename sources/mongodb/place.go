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

// place is one in a change stream: after a token, or at a time.
type place struct {
	token bson.Raw
	time  *bson.Timestamp
	read  string // the digest of what was read up to there
}

// written is a place as JSON.
type written struct {
	Token string `json:"resume_token,omitempty"` // BSON in base64: what is in it is the server's business
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

var errPlace = errors.New("the place in the change stream that was kept is not one of this version")

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

// whatIsRead is what the changes are those of.
type whatIsRead struct {
	found   map[string]watched // by name
	digest  string             // of which collections they are, of which server, and what is read of them
	sharded bool
}

// watched is a collection, and what tells it from a later one of its name.
type watched struct {
	collection
	identity string
}

// whatIsRead looks at the collections. A change stream tells nothing of what was in a collection before it
// was renamed into the database, or before the user could read it; so other collections are another digest.
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
				"take it out of collection:, or set change_streams: false; then an incremental sync reads everything")
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

// identities are the server's own ids of the collections, as far as the user may know them.
func (s *streaming) identities(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	err := s.each(ctx, bson.D{{Key: "listCollections", Value: 1}}, func(raw bson.Raw) error {
		if name, ok := raw.Lookup("name").StringValueOK(); ok {
			all[name] = identityOf(raw)
		}
		return nil
	})
	if err != nil && !refused(err) { // who may read a collection may know that it is there, but not more
		return nil, s.connectError(ctx, err, "look at the collections of "+s.set.database)
	}
	return all, nil
}

// topology says whether the server is a router of a sharded cluster, whose stream may be silent although it is
// not at its end, and the name of the replica set otherwise.
func (s *streaming) topology(ctx context.Context) (setName string, sharded bool, err error) {
	hello, err := s.ask(ctx, "admin", bson.D{{Key: "hello", Value: 1}})
	if code(err) == codeNoCommand {
		return "", false, nil
	}
	if err != nil {
		return "", false, s.connectError(ctx, err, "ask what kind of server "+s.set.address.hosts()+" is")
	}
	setName, _ = hello.Lookup("setName").StringValueOK()
	msg, _ := hello.Lookup("msg").StringValueOK()
	return setName, msg == "isdbgrid", nil
}
